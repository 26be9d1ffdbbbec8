"""An event-sourced document reactor on Kafka."""

from docreactor.gateway.blocking import SyncReactor
from docreactor.gateway.client import Reactor
from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.errors import ReactorError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.pipeline.state import State

__all__ = [
    "Change",
    "Context",
    "DocumentModel",
    "Origin",
    "Reactor",
    "ReactorError",
    "ReadModel",
    "State",
    "SyncReactor",
    "Writer",
]
