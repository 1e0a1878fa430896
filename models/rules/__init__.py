"""Every rule, found by its place: each module of this folder has a RULE."""

import hashlib
import importlib
import pkgutil
from functools import cache

from models.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """The rules by name."""
    found: list[Rule] = [
        importlib.import_module(f"{__name__}.{module.name}").RULE for module in pkgutil.iter_modules(__path__)
    ]
    return tuple(sorted(found, key=lambda rule: rule.name))


@cache
def rules_version() -> str:
    """Names and versions of all rules as one short hash: when it differs, everybody is looked at again."""
    text = " ".join(f"{rule.name}={rule.version}" for rule in all_rules())
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
