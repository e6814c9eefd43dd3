"""The publisher's side: from rows of hashes, or originals, to a hash list.

Nothing under here is imported by the client side; both stand on the format.
"""
