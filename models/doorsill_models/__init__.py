"""Models of neural hashers, for doorsill: a folder each, named as lists name them.

There is no code here. doorsill finds the folders without running this file, and loads a model
only where its digest is the one that a list pins.
"""
