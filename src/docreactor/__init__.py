"""An event-sourced document reactor on Kafka."""

from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.errors import ReactorError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State

__all__ = ["Context", "DocumentModel", "Origin", "ReactorError", "State"]
