"""How each provider stands: switched on, with credentials or able to answer without, or not there at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cloudtop.models import Trouble

if TYPE_CHECKING:
    from cloudtop.sellers import Seller
    from cloudtop.settings import Settings
    from connectors.base import Facts


PRICES = "gpu_offers"


class Standing:
    """What can be asked of whom, judged by the connectors' facts and the configuration; asks nobody."""

    def __init__(self, facts: Mapping[str, Facts], known: Mapping[str, Seller], settings: Settings) -> None:
        self._facts, self._known, self._settings = facts, known, settings

    def ids(self, texts: Iterable[str], argument: str, also: Iterable[str] = ()) -> tuple[str, ...]:
        """The providers that these names mean; ArgumentError for the first that is none."""
        if not texts:
            return ()
        from cloudtop.sellers import provider_id

        found = (provider_id(text, also, self._facts, argument) for text in texts)
        return tuple(dict.fromkeys(found))

    def title(self, provider: str) -> str:
        """The provider's name as it writes it."""
        if facts := self._facts.get(provider):
            return facts.title
        seller = self._known.get(provider)
        return seller.title if seller else provider

    def enabled(self, provider: str) -> bool:
        """Whether the configuration has not switched it off."""
        return self._settings.provider(provider).enabled

    def accounts(self, provider: str, kind: str | None = None) -> tuple[str, ...]:
        """The accounts that have every credential the connector asks for, or whose cloud's own tools do.

        Those with a credential that is enough for `kind` are among them; without a kind, for any.
        """
        return tuple(self.origins(provider, kind))

    def origins(self, provider: str, kind: str | None = None) -> dict[str, str]:
        """Where the credentials of each such account come from, in words."""
        facts = self._facts.get(provider)
        if facts is None or not facts.required:
            return {}
        enough = [(name,) for name, kinds in facts.enough.items() if kind is None or kind in kinds]
        found = {
            account.name: next(
                filter(
                    None,
                    (
                        self._settings.origin(provider, account.name, names)
                        for names in (facts.required, *enough)
                    ),
                ),
                None,
            )
            for account in self._settings.provider(provider).accounts
        }
        return {name: origin for name, origin in found.items() if origin is not None}

    def early(self) -> list[str]:
        """Modules that take seconds to import, of providers whose resources may be asked for."""
        asked = (facts for name, facts in self._facts.items() if self.accounts(name, "resources"))
        return [module for facts in asked for module in facts.early]

    def can(self, provider: str, kind: str) -> bool:
        """Whether `kind` could be asked of it now: credentials there, or none needed."""
        facts = self._facts.get(provider)
        if facts is None or not self.enabled(provider) or kind not in facts.kinds:
            return False
        return kind in facts.keyless or bool(self.accounts(provider, kind))

    def reason(self, provider: str) -> str | None:
        """Why it cannot be asked, or not for everything, in words; None when nothing is in the way."""
        facts = self._facts.get(provider)
        if facts is None:
            return "cloudtop has no connector for it yet; its prices come from price lists only."
        if not self.enabled(provider):
            return f"It is switched off: providers.{provider}.enabled is false in the configuration."
        closed = [kind for kind in facts.kinds if not self.can(provider, kind)]
        if not closed:
            return None
        if len(closed) == len(facts.kinds):
            return f"No credentials. {_how(facts)}"
        return f"Without credentials it cannot be asked for {' '.join(closed)}. {_how(facts)}"

    def asked(
        self, kind: str, named: tuple[str, ...] | None, excluded: tuple[str, ...]
    ) -> tuple[list[str], list[Trouble]]:
        """Who can be asked for `kind`, and of whom it must be said that they were not."""
        asked: list[str] = []
        troubles: list[Trouble] = []
        for provider in self._facts if named is None else dict.fromkeys(named):
            if provider in excluded:
                continue
            if self.can(provider, kind):
                asked.append(provider)
            elif trouble := self._closed(provider, kind, named is not None):
                troubles.append(trouble)
        return asked, troubles

    def uncovered(self, kind: str, named: tuple[str, ...]) -> dict[str, Trouble]:
        """The named ones that no connector answers `kind` for; a price list may still have rows of them."""
        missing = (one for one in named if one not in self._facts or kind not in self._facts[one].kinds)
        return {one: self._not_covered(one, kind) for one in missing}

    def rows(self) -> list[dict[str, Any]]:
        """One row per provider, in the order of the sellers' list."""
        return [self._row(provider) for provider in self._ids()]

    def not_configured(self, provider: str, kind: str | None = None, severity: str = "error") -> Trouble:
        """The trouble of a provider without credentials: what to set, and where that is explained."""
        facts = self._facts[provider]
        return Trouble(
            provider,
            "not_configured",
            f"{facts.title} was not asked: no credentials are configured.",
            _how(facts),
            kind=kind,
            severity=severity,
            reference=facts.docs_url,
        )

    def _ids(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._known, *self._facts])

    def _closed(self, provider: str, kind: str, named: bool) -> Trouble | None:
        """Why a provider that has a connector for `kind` is not asked; the unnamed are told of softly."""
        facts = self._facts.get(provider)
        if facts is None or kind not in facts.kinds:
            return None
        if self.enabled(provider):
            return self.not_configured(provider, kind, "error" if named else "info")
        if not named:
            return None
        return Trouble(
            provider,
            "not_configured",
            f"{facts.title} was not asked: it is switched off in the configuration.",
            f"Set providers.{provider}.enabled to true.",
            kind=kind,
        )

    def _not_covered(self, provider: str, kind: str) -> Trouble:
        title = self.title(provider)
        if kind == PRICES:
            have = "connector for" if provider not in self._facts else "prices from"
            message = f"cloudtop has no {have} {title} yet, and no price list at hand has rows of it."
            step = "Add a price list of your own under providers.pricelist.options.files."
        else:
            message = f"cloudtop cannot ask {title} for its {kind} yet."
            step = "`cloudtop providers` says what each can answer."
        return Trouble(provider, "not_covered", message, step, kind=kind)

    def _row(self, provider: str) -> dict[str, Any]:
        facts = self._facts.get(provider)
        return {
            "provider": provider,
            "title": self.title(provider),
            "enabled": self.enabled(provider),
            "configured": facts is not None and any(self.can(provider, kind) for kind in facts.kinds),
            "accounts": list(self.accounts(provider)),
            "kinds": list(facts.kinds) if facts else [],
            "metrics": [],
            "keyless": list(facts.keyless) if facts else [],
            "credential_names": list(facts.variables) if facts else [],
            "credentials_from": self.origins(provider),
            "docs_url": facts.docs_url if facts else None,
            "reason": self.reason(provider),
        }


def _how(facts: Facts) -> str:
    """What to set, in one sentence."""
    if not facts.variables:
        return f"Set providers.{facts.id}.auth in the configuration."
    return f"Set {facts.to_set}, or providers.{facts.id}.auth in the configuration."
