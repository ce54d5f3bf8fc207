"""
Create a user through the whole chain on this machine, and print each step with its time.

Gateway, queue, consumer and table are real processes of this machine; the SDK is the installed one
and signs with a key that the local gateway issued and verifies.
"""

from __future__ import annotations

import os
import sys
import time

from deploy.local.runtime import LocalRuntime
from users_sdk import Address, NewUser, User, UsersClient

NEW_USER = NewUser(
    name='Zoë "Zed" O\'Brien & Söhne 🚀',
    email="zoe@example.com",
    phone="+441632960961",
    address=Address(street="1 Main St = #5", city="Zürich", postal_code="8001", country="CH"),
    tags=["50% off", "a&b=c", "$input.body"],
)


class Stopwatch:
    """Prints lines with the seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def say(self, text: str) -> None:
        """Print one step."""
        print(f"{time.perf_counter() - self._began:7.3f} s  {text}", flush=True)


def create(watch: Stopwatch) -> User:
    """Create the user, wait for it, and ask for the same again."""
    with UsersClient() as client:
        watch.say(f"client for {os.environ['USERS_API_URL']}")
        handle = client.create_user(NEW_USER, idempotency_key="demo-1")
        watch.say(f"POST /users                accepted as message {handle.message_id}")
        state = client.get_status(message_id=handle.message_id)
        watch.say(f"GET  /status/{{messageId}}   {state.status}")
        user = handle.result(timeout=30)
        watch.say(f"handle.result()            user {user.user_id}")
        found = client.get_user(user_id=user.user_id)
        check(
            shape(found) == NEW_USER.model_dump(exclude_unset=True), f"not what was sent: {found!r}"
        )
        watch.say("GET  /users/{userId}       as it was sent, character for character")
        again = client.create_user_and_wait(NEW_USER, idempotency_key="demo-1", timeout=30)
        check(again.user_id == user.user_id, f"the same request made a second user: {again!r}")
        watch.say("the same request again     the same user, not a second one")
    return found


def shape(user: User) -> dict[str, object]:
    """What a user has of what was sent."""
    return user.model_dump(exclude_unset=True, exclude={"user_id", "created_at"})


def check(fact: bool, complaint: str) -> None:
    """End the demo with a complaint if something is not as it must be."""
    if not fact:
        sys.exit(complaint)


def main() -> None:
    """Run the demo."""
    watch = Stopwatch()
    watch.say("starting gateway, queue, consumer and table")
    with LocalRuntime() as runtime:
        os.environ.update(runtime.environment())
        watch.say(f"ready at {runtime.url}")
        user = create(watch)
    watch.say("stopped")
    print(f"\n{user!r}\n\nNext: `make serve` runs it until Ctrl-C; README.md shows how to use it.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped")
