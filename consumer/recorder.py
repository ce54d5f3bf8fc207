"""Lambda entry for the dead-letter queue: tells the clients what has become of their messages."""

from collections.abc import Iterable, Mapping

from consumer.batch import BatchResponse, records_of, run
from consumer.entity import Entity
from consumer.store import Store, default_store
from consumer.work import Creation, Failure, Message, Receipt, decide, receipt_for


def handler(event: Mapping[str, object], context: object) -> BatchResponse:
    """
    Record a batch of dead letters as failed.

    Args:
        event: An SQS event (`{"Records": [...]}`).
        context: Lambda's context; not used.

    Returns:
        The messages to be delivered again, each by its ID.

    Raises:
        ValueError: The event is no SQS event, or the environment names no table or no entity.
    """
    return process(records_of(event), default_store())


def process(records: Iterable[object], store: Store) -> BatchResponse:
    """Process records with a given store; see `handler`."""
    return run(records, lambda message: record(message, store))


def record(message: Message, store: Store) -> Receipt | None:
    """
    Write the receipt of a dead letter, the original message in it.

    The entity may exist all the same: an attempt can write it and die before it says so. Then the
    receipt is that of a success, or there is none to write.

    Returns:
        The receipt that was written, if any.
    """
    receipt = _receipt(message, decide(message, store.entity), store)
    if receipt is not None:
        store.put_receipt(receipt)
    return receipt


def _receipt(message: Message, decision: Creation | Failure, store: Store) -> Receipt | None:
    if isinstance(decision, Failure):
        return Receipt(message.id, failure=decision, message=message)
    existing = store.get(decision.entity_id)
    if existing is None:
        return Receipt(message.id, failure=_processing_failed(store.entity), message=message)
    return receipt_for(message, decision, existing, store.entity)


def _processing_failed(entity: Entity) -> Failure:
    return Failure(
        "PROCESSING_FAILED",
        f"Creating the {entity.name} failed repeatedly. The request may be sent again with its "
        f"Idempotency-Key: that never makes a second {entity.name}.",
    )
