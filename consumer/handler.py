"""Lambda entry for the queue: makes what the messages ask for."""

from collections.abc import Iterable, Mapping

from consumer.batch import BatchResponse, records_of, run
from consumer.store import Store, default_store
from consumer.work import Creation, Failure, Message, Receipt, decide, receipt_for


def handler(event: Mapping[str, object], context: object) -> BatchResponse:
    """
    Process a batch of messages.

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
    return run(records, lambda message: create(message, store))


def create(message: Message, store: Store) -> Receipt | None:
    """
    Create the entity that a message asks for, once however often the message comes.

    Returns:
        The receipt that was written; `None` if the entity's item says it all.
    """
    receipt = _receipt(message, decide(message, store.entity), store)
    if receipt is not None:
        store.put_receipt(receipt)
    return receipt


def _receipt(message: Message, decision: Creation | Failure, store: Store) -> Receipt | None:
    if isinstance(decision, Failure):
        return Receipt(message.id, failure=decision, message=message)
    return receipt_for(message, decision, store.put(decision), store.entity)
