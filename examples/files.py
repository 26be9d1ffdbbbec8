"""Files and folders of a repository: every commit that touched a file is one action of its history.

Run it with `docreactor up --models docreactor.examples.files`. A document of the type
`example/file` is one path; the actions that change it carry the commit they came from, so the
history of the document reads like the log of the file:

    {"type": "REPLACE", "input": {"commit": "4f1c…", "author_name": "Ada",
        "author_email": "ada@example.org", "author_time": "2024-05-01T12:00:00Z",
        "message": "Add the reader", "path": "src/reader.py", "content": "def read(): …"}}
    {"type": "EDIT", "input": {"commit": "9ab0…", …, "patches": [[0, 0, "import io\\n"]]}}

REPLACE gives the whole file: a text's content, or of a binary or very large file only size and
SHA-256. EDIT patches a text, as `docreactor.examples.text` does. A deleted file is a deleted
document, which the platform does.

A document of the type `example/folder` is one folder. What is in it are its relationships of the
type `child`, which the platform keeps, so the model has next to nothing to do:

    {"type": "PLACE", "input": {"path": "src"}}

What is worth copying: a part of the state is a `State` of its own (`Author`), a `Literal` names the
closed set of kinds, and what two inputs share is a class that both derive from.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from docreactor import DocumentModel, State
from docreactor.examples.text import Patch, patched

Kind = Literal["text", "binary", "large"]
Mode = Annotated[str, Field(pattern=r"^[0-7]{6}$")]
"""Type and permissions, six octal digits."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Author(State):
    """Who made the newest change, and when."""

    name: str = ""
    email: str = ""
    time: str = ""


class File(State):
    """What the document shows: the file as the newest commit left it.

    `content` is empty for the kinds `binary` and `large`, and only they have `size` and `sha256`.
    """

    path: str = ""
    kind: Kind = "text"
    content: str = ""
    size: int | None = None
    sha256: str | None = None
    mode: Mode = "100644"
    author: Author = Author()
    commit: str = ""
    message: str = ""


class Change(BaseModel):
    """What every action carries: where it came from."""

    commit: Annotated[str, Field(min_length=1, max_length=64)]
    author_name: str
    author_email: str
    author_time: AwareDatetime
    message: str
    mode: Mode | None = None

    @property
    def author(self) -> Author:
        """The author as the state keeps it."""
        time = self.author_time.isoformat()
        return Author(name=self.author_name, email=self.author_email, time=time)


class Replacement(Change):
    """The input of REPLACE. `path` may stay out once the document knows it."""

    path: str | None = None
    kind: Kind = "text"
    content: str | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        described = self.size is not None and self.sha256 is not None
        if self.kind == "text" and (self.content is None or described):
            raise ValueError("a text has content, and neither size nor sha256")
        if self.kind != "text" and (self.content is not None or not described):
            raise ValueError(f"a {self.kind} file has size and sha256, and no content")
        return self


class FileEdit(Change):
    """The input of EDIT."""

    patches: tuple[Patch, ...]


class Folder(State):
    """What the document shows: where the folder is. The repository itself has the path ""."""

    path: str = ""


class Placement(BaseModel):
    """The input of PLACE."""

    path: str


files = DocumentModel("example/file", state=File)
folders = DocumentModel("example/folder", state=Folder)


@files.action
def replace(state: File, input: Replacement) -> File:
    """REPLACE: the file is this."""
    return state.replace(
        path=state.path if input.path is None else input.path,
        kind=input.kind,
        content=input.content or "",
        size=input.size,
        sha256=input.sha256,
        mode=input.mode or state.mode,
        author=input.author,
        commit=input.commit,
        message=input.message,
    )


@files.action
def edit(state: File, input: FileEdit) -> File:
    """EDIT: patch the text. ValueError for a file that is none."""
    if state.kind != "text":
        raise ValueError(f"{state.path} is {state.kind}: only a text takes patches; REPLACE it")
    return state.replace(
        content=patched(state.content, input.patches),
        mode=input.mode or state.mode,
        author=input.author,
        commit=input.commit,
        message=input.message,
    )


@folders.action
def place(state: Folder, input: Placement) -> Folder:
    """PLACE: this is where the folder is."""
    return state.replace(path=input.path)
