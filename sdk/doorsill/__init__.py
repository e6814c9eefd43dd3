"""doorsill: compare a picture with hash lists on the device, before it is sent.

>>> from doorsill import Gate, HashList, Trust
>>> gate = Gate(HashList.open("list.dsl", Trust.none()))  # doctest: +SKIP
>>> gate.screen("photo.jpg").action                       # doctest: +SKIP
<Action.SEND: 'send'>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorsill.errors import Cancelled, DoorsillError, IsolationError, ListError, TrustError
    from doorsill.gate import Gate
    from doorsill.hashes import Hash, hash_image
    from doorsill.limits import Limits
    from doorsill.lists import HashList
    from doorsill.policy import Policy
    from doorsill.sealed import SealedList
    from doorsill.trust import Trust
    from doorsill.verdict import Action, Evidence, Match, Outcome, Verdict

# Where each public name lives; a module is loaded when its name is first used.
_HOME = {
    "Action": "verdict",
    "Cancelled": "errors",
    "DoorsillError": "errors",
    "Evidence": "verdict",
    "Gate": "gate",
    "Hash": "hashes",
    "HashList": "lists",
    "IsolationError": "errors",
    "Limits": "limits",
    "ListError": "errors",
    "Match": "verdict",
    "Outcome": "verdict",
    "Policy": "policy",
    "SealedList": "sealed",
    "Trust": "trust",
    "TrustError": "errors",
    "Verdict": "verdict",
    "hash_image": "hashes",
}

__all__ = [
    "Action",
    "Cancelled",
    "DoorsillError",
    "Evidence",
    "Gate",
    "Hash",
    "HashList",
    "IsolationError",
    "Limits",
    "ListError",
    "Match",
    "Outcome",
    "Policy",
    "SealedList",
    "Trust",
    "TrustError",
    "Verdict",
    "hash_image",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("doorsill.core").version()
    if name not in _HOME:
        raise AttributeError(f"module 'doorsill' has no attribute {name!r}")
    return getattr(import_module(f"doorsill.{_HOME[name]}"), name)
