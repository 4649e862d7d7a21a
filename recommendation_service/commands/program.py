"""The frame of the `tandem` program: commands that are imported when they are used, and exit codes for expected failures."""

import errno
import functools
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from recommendation_service.core import threads
from recommendation_service.errors import TandemError

DONE, FAILED, STOPPED = 0, 1, 130  # 130: what shells expect of a program that Ctrl-C ended
Load = Callable[[], Any]  # imports and returns a function, or a group of commands
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


class LazyGroup(TyperGroup):
    """A group of commands. A command's module is imported when the command is used, so that serving needs no torch.

    `commands` are name -> (one line of help, loader). `default` is the command that runs if the first argument names none.
    """

    def __init__(self, name: str, help_text: str, commands: Mapping[str, tuple[str, Load]], default: str = "") -> None:
        super().__init__(name=name, help=help_text, no_args_is_help=not default, rich_markup_mode=None)
        self._table, self._default = commands, default

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import and return a command; None if there is none of that name. Exits with 1 if a package is not installed."""
        if cmd_name not in self._table:
            return None
        try:
            target = self._table[cmd_name][1]()
        except ModuleNotFoundError as error:
            fix = "pip install 'tandem-recommendations[serve,train]'"
            sys.stderr.write(f"error: {cmd_name} needs the package {error.name}; run: {fix}\n")
            raise typer.Exit(FAILED) from error
        return target if isinstance(target, TyperGroup) else as_command(target, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the help lines of the table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (summary, _) in self._table.items()])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the default command if the first argument is neither a command nor a request for help."""
        if self._default and not (args and (args[0] in self._table or args[0] == "--help")):
            args = [self._default, *args]
        return super().parse_args(ctx, args)


def as_command(function: Callable[..., int | None], name: str) -> TyperCommand:
    """Return a command whose options are the parameters of a function, and whose exit code is the function's result."""

    @functools.wraps(function)
    def run(**options: Any) -> None:
        raise typer.Exit(guarded(functools.partial(function, **options)))

    program = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    program.command(name)(run)
    command: TyperCommand = typer.main.get_command(program)  # type: ignore[assignment]  # one function makes a command
    return command


def guarded(work: Callable[[], int | None]) -> int:
    """Run the work of a command and return its exit code. An expected failure is one line on stderr, and 1."""
    logging.basicConfig(level=os.environ.get("RS_LOG_LEVEL") or "INFO", format="%(message)s", stream=sys.stderr)
    try:
        threads.check()
        return work() or DONE
    except TandemError as error:
        message = error.message
    except OSError as error:
        message = file_problem(error)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return STOPPED
    sys.stderr.write(f"error: {message}\n")
    return FAILED


def run_program(command: TyperCommand | TyperGroup, argv: Sequence[str] | None = None) -> int:
    """Run a command line (None: that of this process) and return the exit code.

    0: done, or help was printed; 1: an expected failure; 2: wrong usage; 130: stopped by Ctrl-C.
    """
    try:
        command.main(args=None if argv is None else list(argv), prog_name=command.name)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED
    return DONE


def file_problem(error: OSError) -> str:
    """Return one line that says which file cannot be read or written, why, and the fix."""
    path = Path(str(error.filename or "a file"))
    where = f"{path.parent.name}/{path.name}" if path.parent.name else path.name
    if error.errno in FULL:
        return f"{where}: no space left to write it; free some space, or choose another folder (for models RS_MODELS_DIR)"
    if error.errno in DENIED:
        return f"{where}: not permitted; make it accessible to this user, or choose another folder (for models RS_MODELS_DIR)"
    return f"{where}: {error.strerror or error}; check the path"
