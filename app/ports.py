"""Ports of this machine: which are free, and why one is not."""

import errno
import socket


def problem(host: str, port: int) -> OSError | None:
    """Why nobody can listen there now; None if somebody can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OverflowError:
        return OSError(errno.EINVAL, f"{port} is no port")
    except OSError as error:
        return error
    return None
