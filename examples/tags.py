"""Notes with tags, and which notes carry a tag: a read model of your own beside its documents.

Run it with `docreactor up --models docreactor.examples.tags`, create documents of the type
`example/note` and send them actions:

    {"type": "WRITE", "input": {"text": "Milk, bread, eggs"}}
    {"type": "TAG", "input": {"tag": "shopping"}}
    {"type": "UNTAG", "input": {"tag": "shopping"}}

The documents table finds notes by id and by type. By tag it finds none, so `Tags` keeps rows of its
own: `docreactor rows tags --prefix count/` tells how many notes carry each tag, and
`docreactor rows tags --prefix with/shopping/` which those are. Each partition keeps the rows of
its own documents: a count is to be added up over the partitions, a key with a document's id in it
comes from one partition alone.

What is worth copying: it keeps what it last showed of each note, asks for the state after a change
and moves the difference. So it need not know the actions, and what is undone, put into another
order by a late action, deleted, or erased is right without a line for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from docreactor import Change, DocumentModel, ReadModel, State, Writer

TagName = Annotated[str, Field(pattern=r"^[^/]{1,64}$")]


class Note(State):
    """What the document shows: a text, and its tags in the order they came."""

    text: str = ""
    tags: tuple[str, ...] = ()


class Text(BaseModel):
    """The input of WRITE."""

    text: str


class Tag(BaseModel):
    """The input of TAG and UNTAG."""

    tag: TagName


note = DocumentModel("example/note", state=Note)


@note.action
def write(state: Note, input: Text) -> Note:
    """WRITE: the text is this."""
    return state.replace(text=input.text)


@note.action
def tag(state: Note, input: Tag) -> Note:
    """TAG: attach a tag. Twice is as good as once."""
    if input.tag in state.tags:
        return state
    return state.replace(tags=(*state.tags, input.tag))


@note.action
def untag(state: Note, input: Tag) -> Note:
    """UNTAG: take a tag off."""
    return state.replace(tags=tuple(one for one in state.tags if one != input.tag))


class Tags(ReadModel):
    """Which notes carry a tag, and how many.

    Rows: `note/<id>` is what was last shown of a note, `with/<tag>/<id>` says that it carries the
    tag, `count/<tag>` counts those of the partition.
    """

    name = "tags"
    document_types = ("example/note",)
    scopes = ("document", "global")
    branches = ("main",)

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        # Of several changes of one stream the last tells everything: one state instead of many.
        newest = {(change.document_id, change.scope): change for change in batch}
        for (document_id, scope), change in newest.items():
            if change.erased:
                self.forget(document_id, writer)
                continue
            state = await change.state()
            shown = writer.get(f"note/{document_id}", {"tags": [], "is_deleted": False})
            before = _carried(shown)
            if scope == "document":
                shown["is_deleted"] = state.get("is_deleted", False)
            else:
                shown["tags"] = state["tags"]
            writer.put(f"note/{document_id}", shown)
            _move(writer, document_id, before, _carried(shown))

    def forget(self, document_id: str, writer: Writer) -> None:
        shown = writer.get(f"note/{document_id}")
        if shown is not None:
            _move(writer, document_id, _carried(shown), set())
            writer.delete(f"note/{document_id}")


def _carried(shown: Mapping[str, Any]) -> set[str]:
    """The tags that a note is found by: a deleted one by none."""
    return set() if shown["is_deleted"] else set(shown["tags"])


def _move(writer: Writer, document_id: str, before: set[str], after: set[str]) -> None:
    for name in sorted(before - after):
        writer.delete(f"with/{name}/{document_id}")
        _count(writer, name, -1)
    for name in sorted(after - before):
        writer.put(f"with/{name}/{document_id}", True)
        _count(writer, name, 1)


def _count(writer: Writer, name: str, by: int) -> None:
    key = f"count/{name}"
    count = writer.get(key, 0) + by
    if count:
        writer.put(key, count)
    else:
        writer.delete(key)
