"""Files: uploads by people and by the app, and their bytes."""

import mimetypes
import time
from typing import Any

from starlette.datastructures import UploadFile

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.roster import TEAM
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.world import World

UPLOAD_LIMIT = 200_000_000


async def accept_upload(world: World, upload: Any, person: str, base_url: str) -> Document:
    """A file that a person chose, stored whole."""
    if not isinstance(upload, UploadFile):
        raise SlackError("no_file_data")
    content = await upload.read()
    if len(content) > UPLOAD_LIMIT:
        raise SlackError("file_upload_size_restricted")
    file = new_file(world, upload.filename or "file", len(content), person, base_url)
    world.store.put_blob(file["id"], content)
    world.put_file(file)
    return file


def new_file(world: World, name: str, size: int, person: str, base_url: str) -> Document:
    """A file object as files.info shows it."""
    file_id = world.new_id("F")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    suffix = name.rpartition(".")[2].lower() if "." in name else "binary"
    return {
        "id": file_id, "created": int(time.time()), "timestamp": int(time.time()), "name": name, "title": name,
        "mimetype": kind, "filetype": suffix, "pretty_type": suffix.upper(), "user": person, "user_team": TEAM["id"],
        "editable": False, "size": size, "mode": "hosted", "is_external": False, "external_type": "",
        "is_public": True, "public_url_shared": False, "display_as_bot": False, "username": "",
        "url_private": f"{base_url}/files/{file_id}/{name}",
        "url_private_download": f"{base_url}/files/{file_id}/download/{name}",
        "permalink": f"{base_url}/files/{file_id}/{name}", "permalink_public": "", "channels": [], "groups": [],
        "ims": [], "comments_count": 0, "is_starred": False, "has_rich_preview": False, "file_access": "visible",
    }  # fmt: skip
