"""
Create many users at once, 32 at a time, and count them.

Needs USERS_API_URL and AWS credentials in the environment: `make serve` prints lines to copy.
"""

import argparse
import asyncio
import time

from users_sdk import AsyncUsersClient, OperationFailed, User


async def create_users(count: int, concurrency: int = 32) -> list[User]:
    """Create `count` users, at most `concurrency` of them unfinished at any time."""
    gate = asyncio.Semaphore(concurrency)

    async def create(client: AsyncUsersClient, number: int) -> User | None:
        async with gate:
            new_user = {"name": f"User {number}", "email": f"user-{number}@example.com"}
            try:
                return await client.create_user_and_wait(new_user, timeout=60)
            except OperationFailed as error:
                print(f"user {number} was not created: {error}")
                return None

    async with AsyncUsersClient() as client:
        users = await asyncio.gather(*(create(client, number) for number in range(count)))
    return [user for user in users if user is not None]


def main() -> None:
    """Create as many users as the command line asks for."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many users (default 100)")
    arguments = parser.parse_args()
    began = time.perf_counter()
    users = asyncio.run(create_users(arguments.count))
    seconds = time.perf_counter() - began
    print(f"{len({user.user_id for user in users})} different users in {seconds:.1f} s")


if __name__ == "__main__":
    main()
