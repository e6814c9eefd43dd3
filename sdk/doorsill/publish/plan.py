"""A plan: one TOML file that says what a list is built from, for more than one publisher.

`sdk/doorsill/publish/README.md` explains the keys.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from doorsill.core import SECTION_PROFILES
from doorsill.errors import RowsError
from doorsill.lists import SEED, WARN
from doorsill.publish.columns import read_toml
from doorsill.publish.sources import Source
from doorsill.publish.words import Category, ListWords

if TYPE_CHECKING:
    from pathlib import Path

_LIST_KEYS = {"name", "publisher", "category", "message", "help_link", "appeal_link", "language",
              "demo", "profile", "limit", "quality", "model"}  # fmt: skip
_SOURCE_KEYS = {"path", "format", "map", "publisher", "category", "profile", "categories", "seed",
                "warn"}  # fmt: skip


def read_plan(path: Path, words: ListWords) -> tuple[list[Source], ListWords]:
    """Return the sources of a plan, and the words with what it says put over *words*.

    Raises:
        RowsError: It is no TOML, or says something that no plan says.
    """
    told = read_toml(path)
    try:
        usual = told.get("profile", words.profile)
        sources = [_source({"profile": usual} | each, path) for each in told.pop("sources", [])]
        publishers = {str(key): str(name) for key, name in told.pop("publishers", {}).items()}
        categories = {str(key): Category(**_texts(each, path))
                      for key, each in told.pop("categories", {}).items()}  # fmt: skip
        _only(told, _LIST_KEYS, path)
        types = {each.name: each.type for each in fields(ListWords)}
        for key, value in told.items():
            if type(value).__name__ != types[key]:
                raise RowsError(f"{path}: {key} is {value!r}; it should be {types[key]}")
    except (TypeError, AttributeError) as error:
        raise RowsError(f"{path}: {error}; see sdk/doorsill/publish/README.md") from None
    if not sources:
        raise RowsError(f"{path}: it names no [[sources]], each with a path")
    return sources, replace(words, publishers=publishers, categories=categories, **told)


def _source(told: dict[str, Any], plan: Path) -> Source:
    _only(told, _SOURCE_KEYS, plan)
    if "path" not in told:
        raise RowsError(f"{plan}: a source has no path")
    profile = told["profile"]
    if profile not in SECTION_PROFILES:
        raise RowsError(f"{plan}: profile {profile!r} is not one of {', '.join(SECTION_PROFILES)}")
    map_ = str(told.get("map", ""))
    return Source(
        path=plan.parent / str(told["path"]),
        format=str(told.get("format", "")),
        map=str(plan.parent.resolve() / map_) if map_.endswith(".toml") else map_,
        publisher=str(told.get("publisher", "")),
        category=str(told.get("category", "")),
        profile=profile,
        flags=(SEED if told.get("seed") else 0) | (WARN if told.get("warn") else 0),
        categories={str(key): str(value) for key, value in told.get("categories", {}).items()},
    )


def _texts(told: dict[str, Any], plan: Path) -> dict[str, str]:
    _only(told, {each.name for each in fields(Category)}, plan)
    return {key: str(value) for key, value in told.items()}


def _only(told: dict[str, Any], keys: set[str], plan: Path) -> None:
    if unknown := sorted(told.keys() - keys):
        raise RowsError(
            f"{plan}: {unknown[0]!r} means nothing here; known are {', '.join(sorted(keys))}"
        )
