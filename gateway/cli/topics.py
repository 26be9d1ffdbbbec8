"""The commands of a deployment's topics."""

from __future__ import annotations

from typing import Any

import typer

from docreactor.agents.topics import check_topics, create_topics, describe_topics
from docreactor.gateway.cli.choices import App, chosen
from docreactor.gateway.cli.cluster import asked
from docreactor.gateway.cli.screen import show_facts, show_json, show_table
from docreactor.gateway.cli.target import Json
from docreactor.pipeline.topics import TopicDeclaration, declarations

app = typer.Typer(
    name="topics",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""The **topics** of a deployment: seven, all behind the name of its app.

    They are on the Kafka of DOCREACTOR_BROKER, or on the development broker that runs.
    `docreactor up` creates them by itself.""",
)


@app.command()
def create(app: App = None, json: Json = False) -> None:
    """Create what is missing, and the log id. What exists is left as it is.

    `DOCREACTOR_BROKER=kafka:9092 docreactor topics create --app shop`
    """
    settings = chosen(app=app)
    created = asked(settings, create_topics)
    if json:
        show_json({"created": created})
        return
    show_facts({"created": ", ".join(created) or "nothing: all topics were there"})


@app.command()
def check(app: App = None, json: Json = False) -> None:
    """Compare the cluster's topics with what they must be; each difference is named."""
    log_id = asked(chosen(app=app), check_topics)
    if json:
        show_json({"log_id": log_id})
        return
    show_facts({"topics": "as declared", "log id": log_id})


@app.command()
def describe(app: App = None, json: Json = False) -> None:
    """Show the topics that exist, with the configuration that matters here."""
    settings = chosen(app=app)
    found = asked(settings, describe_topics)
    matters = {topic.name: frozenset(topic.config) for topic in declarations(settings)}
    rows = [_described(topic, matters[topic.name]) for topic in found]
    if json:
        show_json(rows)
        return
    show_table(
        ("TOPIC", "PARTITIONS", "CONFIGURATION"),
        [
            (row["name"], row["partitions"], " ".join(f"{k}={v}" for k, v in row["config"].items()))
            for row in rows
        ],
    )


def _described(topic: TopicDeclaration, matters: frozenset[str]) -> dict[str, Any]:
    config = {name: value for name, value in sorted(topic.config.items()) if name in matters}
    return {"name": topic.name, "partitions": topic.partition_count, "config": config}
