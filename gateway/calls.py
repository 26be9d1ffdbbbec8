"""Every call of the Python client, over whatever connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from docreactor.gateway.answers import Job
from docreactor.gateway.changes import Changes, Sending
from docreactor.gateway.enqueuing import Enqueuing
from docreactor.gateway.graphing import Graphing
from docreactor.gateway.reading import Reading, Tokens
from docreactor.gateway.rebuilding import Rebuilding
from docreactor.gateway.removing import Removing
from docreactor.gateway.rows import Rows
from docreactor.gateway.subscribing import Subscribing
from docreactor.gateway.tending import Tending
from docreactor.gateway.waiting import Waiting
from docreactor.pipeline.action import DOCUMENT_SCOPE, UPGRADE_DOCUMENT
from docreactor.pipeline.inputs import DEFAULT_BRANCH


class Calls(
    Changes, Removing, Enqueuing, Subscribing, Reading, Graphing, Waiting, Tending, Rebuilding, Rows
):
    """What a reactor and its sessions can be asked."""

    async def upgrade(
        self,
        document_id: str,
        to_version: int,
        *,
        initial_state: Mapping[str, Any] | None = None,
        token: Tokens = None,
        **sending: Unpack[Sending],
    ) -> Job:
        """Bring a document to a later version of its model, as a read with `token` shows it.

        UpgradePreconditionFailed when it changed since: ask again.
        """
        branch = sending.get("branch", DEFAULT_BRANCH)
        now = await self.get(document_id, branch=branch, token=token)
        input = {
            "model": now.header.document_type,
            "document_id": now.header.id,
            "from_version": now.state[DOCUMENT_SCOPE]["version"],
            "to_version": to_version,
            "revision": now.header.revision,
        }
        input |= {} if initial_state is None else {"initial_state": dict(initial_state)}
        action = {"type": UPGRADE_DOCUMENT, "scope": DOCUMENT_SCOPE, "input": input}
        return await self.submit(now.header.id, action, **sending)
