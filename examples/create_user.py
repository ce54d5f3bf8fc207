"""
Create a user and wait for it.

Needs USERS_API_URL and AWS credentials in the environment: `make serve` prints lines to copy.
"""

from users_sdk import Address, NewUser, UsersClient


def main() -> None:
    """Create a user, print it, and read it again."""
    new_user = NewUser(
        name="Ada Lovelace",
        email="ada@example.com",
        phone="+441632960961",
        address=Address(street="12 St James's Square", city="London", country="GB"),
        tags=["mathematics", "engines & looms"],
    )
    with UsersClient() as client:
        handle = client.create_user(new_user)
        print(f"accepted as message {handle.message_id}")
        user = handle.result(timeout=30)
        print(f"created as user {user.user_id} at {user.created_at:%Y-%m-%d %H:%M:%S}")
        assert client.get_user(user_id=user.user_id) == user


if __name__ == "__main__":
    main()
