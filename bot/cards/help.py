"""/shipmate help, made from what the commands say of themselves."""

from bot.cards.blocks import Card, context, section
from bot.cards.drawing import draw
from pipelines.help import CommandHelp, Help
from pipelines.people import Person


@draw.register
def _help(value: Help) -> Card:
    lines = [_line(command, value.person) for command in value.commands]
    return Card(
        "What Shipmate can do",
        (
            section("*What Shipmate can do for you*"),
            section("\n".join(lines)),
            context(f"You are {value.person.role.title}. Shipmate acts only after somebody approved exactly that act."),
        ),
    )


def _line(command: CommandHelp, person: Person) -> str:
    lock = "" if person.may(command.permission) else f"  :lock: from {command.permission.value.title} on"
    return f"`{command.usage}`\n{command.description}{lock}"
