"""Changing the trust policy: what both quorums signed, in order, and nothing else."""

from __future__ import annotations

import pytest

from doorsill.errors import TrustError
from doorsill.releases import Accepted, check_link
from publisher import WITNESSES, Publisher, key, policy
from test_trust import POLICY, accept, refused

NEW_WITNESSES = [key(f"new-{i}.example") for i in range(3)]
NEW_POLICY = policy(NEW_WITNESSES)


def test_rotation() -> None:
    """A policy that both quorums signed takes the old one's place; nothing else does."""
    publisher = Publisher()
    last = accept(publisher.publish()).accepted()
    link = publisher.rotate(NEW_POLICY, witnesses=NEW_WITNESSES)
    found = check_link(POLICY, NEW_POLICY, "witnessed", link.text, last)
    assert (2, 1) == (found.policy_version, found.epoch)
    assert accept(link, trust=NEW_POLICY).epoch == 1
    refused("other_policy", link)
    later = publisher.publish()
    refused("not_trusted", later)
    assert accept(later, trust=NEW_POLICY, last=found.accepted()).epoch == 2


@pytest.mark.parametrize("missing", [WITNESSES, NEW_WITNESSES])
def test_rotation_with_one_quorum_only(missing: list[object]) -> None:
    """Neither the new quorum nor the old one changes the policy alone."""
    publisher = Publisher()
    link = publisher.rotate(NEW_POLICY, witnesses=NEW_WITNESSES).without(*missing)  # type: ignore[arg-type]
    with pytest.raises(TrustError) as caught:
        check_link(POLICY, NEW_POLICY, "witnessed", link.text, None)
    assert caught.value.kind == "not_trusted"


def test_links_lead_where_they_say_and_never_back() -> None:
    """A link to another policy, from another one, or older than the accepted release is none."""
    publisher = Publisher()
    link = publisher.rotate(NEW_POLICY, witnesses=NEW_WITNESSES)
    itself = check_link(POLICY, NEW_POLICY, "witnessed", link.text, None).accepted()
    third = policy(NEW_WITNESSES, needs=(3, 2))
    for old, new, last, kind in (
        (POLICY, third, None, "other_policy"),
        (policy(needs=(1, 2)), NEW_POLICY, None, "other_policy"),
        (POLICY, NEW_POLICY, Accepted(1, bytes(32), bytes(32)), "rolled_back"),
        (POLICY, NEW_POLICY, itself, "rolled_back"),
    ):
        with pytest.raises(TrustError) as caught:
            check_link(old, new, "witnessed", link.text, last)
        assert caught.value.kind == kind
