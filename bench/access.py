"""Questions about access, which the plain server does not know: decisions, and an impact."""

import random
from typing import Any

from bench.data import Sample
from bench.operations import Operation, body

SINGLES = "checkAccess, one question a request"
TOGETHER = "checkAccess, 100 questions"
IMPACT = "Impact of deleting a large group"
QUESTIONS = 100
BATCHES = 5  # different ones

CHECK = """
query Check($questions: [AccessQuestion!]!) {
  checkAccess(questions: $questions) { allowed reason via { id name } }
}
"""

DELETION = """
query Deletion($id: ID!) {
  accessImpact(of: {deleteGroup: $id}) {
    revision
    gains(first: 0) { totalCount }
    losses(first: 50) {
      totalCount
      nodes { user { id name } bots { id name } personas { id name } }
      pageInfo { hasNextPage endCursor }
    }
    kept(first: 0) { totalCount }
  }
}
"""


def questions(sample: Sample) -> list[Operation]:
    """The same questions one by one, and 100 at a time."""
    rng = random.Random(len(sample.bot_ids))
    asked = [
        {"bot": {"userId": rng.choice(sample.user_ids), "botId": rng.choice(sample.bot_ids)}}
        for _ in range(BATCHES * QUESTIONS)
    ]
    batches = [asked[start : start + QUESTIONS] for start in range(0, len(asked), QUESTIONS)]
    return [
        _ask(SINGLES, CHECK, [{"questions": [one]} for one in asked]),
        _ask(TOGETHER, CHECK, [{"questions": batch} for batch in batches]),
    ]


def impact(sample: Sample) -> Operation:
    """What the deletion of each of the largest groups would do, one request at a time."""
    return _ask(IMPACT, DELETION, [{"id": id} for id in sample.crowd_ids], connections=1)


def _ask(
    name: str, document: str, variables: list[dict[str, Any]], connections: int | None = None
) -> Operation:
    bodies = [body(document, one) for one in variables]
    return Operation(name, [bodies], in_plain=False, connections=connections)
