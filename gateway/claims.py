"""Who claims slugs: what each partition knows of them, and how that becomes one answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.requests import Request

from docreactor.agents.live import LivePartition
from docreactor.gateway.attendance import attended
from docreactor.gateway.demand import Demand
from docreactor.gateway.reach import Call, Gathered, Item, Part, Reach
from docreactor.gateway.read_queries import SlugsQuery
from docreactor.gateway.requests import LIMIT_MAX
from docreactor.gateway.turns import Turns
from docreactor.pipeline.ids import check_name
from docreactor.tables.criteria import place_cursor, read_place, read_slug, slug_cursor
from docreactor.tables.slugs import Claim, slug_order

PATH = "/v1/slugs"
_PLURAL = "slugs"


@dataclass(frozen=True, slots=True)
class Claims:
    """Those of some slugs of a branch, or with `slugs` None of all that come `after` one."""

    branch: str
    slugs: Sequence[str] | None
    limit: int
    after: str = ""
    next_cursor: str | None = None
    is_contested: bool = False

    @classmethod
    def of(cls, query: SlugsQuery) -> Claims:
        """The query, checked: InvalidInput."""
        branch = check_name(query.branch, field="branch")
        if not query.slugs:
            after, contested = read_slug(query.cursor), query.contested
            return cls(branch, None, query.limit, after, is_contested=contested)
        every = tuple(dict.fromkeys(query.slugs))
        place = read_place(query.cursor)
        following = place + query.limit
        next_cursor = place_cursor(following) if following < len(every) else None
        return cls(branch, every[place:following], query.limit, "", next_cursor, query.contested)

    async def gather(
        self, reach: Reach, request: Request, demand: Demand, *, partial: bool = False
    ) -> Gathered:
        """What every partition knows; Restoring when one cannot answer, which `partial` leaves out.

        It ends when the caller has gone.
        """

        async def read(live: LivePartition) -> Part:
            await demand.viewed(reach, request, live)
            return await self._read(live)

        call = replace(Call.like(request, patience_s=demand.patience_s), method="GET")
        query = urlencode(self._parameters + demand.parameters, safe=",")
        gathering = reach.every(
            request,
            range(reach.node.partition_count),
            read,
            call=call.to(PATH, query),
            partial=partial,
            plural=_PLURAL,
        )
        return await attended(request, gathering)

    def joined(self, gathered: Gathered) -> tuple[list[Item], str | None]:
        """The slugs of all who were asked, each with who has it, and the cursor of what follows."""
        rivals: dict[str, list[Claim]] = {}
        for item in gathered.items:
            rivals.setdefault(item["slug"], []).extend(_claims(item))
        if self.slugs is not None:
            found = [_item(rivals[slug]) for slug in self.slugs if slug in rivals]
            return self._kept(found), self.next_cursor
        slugs = sorted(rivals, key=slug_order)
        more = gathered.more or len(slugs) > self._scanned
        slugs = slugs[: self._scanned]
        found = self._kept([_item(rivals[slug]) for slug in slugs])
        if len(found) > self.limit:
            found = found[: self.limit]
            return found, slug_cursor(found[-1]["slug"])
        return found, slug_cursor(slugs[-1]) if more else None

    @property
    def _scanned(self) -> int:
        """How many slugs one call looks at: that others claim them shows when all are together."""
        return LIMIT_MAX if self.is_contested else self.limit

    @property
    def _parameters(self) -> list[tuple[str, str]]:
        if self.slugs is not None:
            # Each is a parameter of its own: a slug may have commas, and its parts are looked up.
            named = [("slugs", slug) for slug in self.slugs]
            return [*named, ("branch", self.branch), ("limit", str(LIMIT_MAX))]
        given: list[tuple[str, str]] = []
        if self.after:
            given.append(("cursor", slug_cursor(self.after)))
        return [*given, ("branch", self.branch), ("limit", str(self._scanned))]

    async def _read(self, live: LivePartition) -> Part:
        position, turns = live.view_position(), Turns()
        items: list[Item] = []
        if self.slugs is not None:
            for slug in self.slugs:
                claims = live.documents.slugs.claims(slug, self.branch)
                if claims:
                    items.append(_item(claims))
                await turns.give()
            return Part(items, False, position)
        after, more = self.after, True
        while more and len(items) <= self._scanned:
            more = False
            with closing(live.documents.slugs.listed(self.branch, after)) as listed:
                for slug, claims in listed:
                    after = slug
                    if claims:
                        items.append(_item(claims))
                    if len(items) > self._scanned or turns.is_due:
                        more = True
                        break
            await turns.give()
        return Part(items[: self._scanned], len(items) > self._scanned, position)

    def _kept(self, found: Iterable[Item]) -> list[Item]:
        return [item for item in found if item["rivals"] or not self.is_contested]


def _item(claims: Iterable[Claim]) -> Item:
    """As HTTP answers it: the newest claim has the slug."""
    newest, *others = sorted(claims, key=_order, reverse=True)
    return {
        "slug": newest.slug,
        "branch": newest.branch,
        **_claim(newest),
        "rivals": [_claim(one) for one in others],
    }


def _claims(item: Item) -> list[Claim]:
    """The inverse of `_item`."""
    slug, branch = item["slug"], item["branch"]
    every = [item, *item["rivals"]]
    return [Claim(slug, branch, one["claimed_at"], one["document_id"]) for one in every]


def _claim(claim: Claim) -> Item:
    return {"document_id": claim.document_id, "claimed_at": claim.claimed_at}


def _order(claim: Claim) -> tuple[str, str]:
    return claim.claimed_at, claim.document_id
