"""The topics. Those of input stand in the order in which the merge takes records of one millisecond."""

from typing import Final, TypeAlias

Topic: TypeAlias = str
Offset: TypeAlias = int

INPUT_TOPICS: Final[dict[Topic, str]] = {
    "events.click": "click",
    "events.cart": "cart",
    "events.order": "order",
    "events.profile": "profile",
    "events.message": "message",
    "events.tag": "tag",
}
"""Input topic -> the `type` of its events. Their order is the topic rank."""

TAG_CHANGES: Final[Topic] = "tag-changes"
DEAD_LETTERS: Final[Topic] = "dead-letters"
RECALL_TRIGGERS: Final[Topic] = "recall-triggers"
RECALL_DECISIONS: Final[Topic] = "recall-decisions"
CHURN_SCORES: Final[Topic] = "churn-scores"
CHURN_EXAMPLES: Final[Topic] = "churn-examples"
CHURN_MODELS: Final[Topic] = "churn-models"

TOPIC_OF_TYPE: Final[dict[str, Topic]] = {kind: topic for topic, kind in INPUT_TOPICS.items()}
