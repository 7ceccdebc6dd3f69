"""Last touches on an HTML page that neither renderer makes: header scopes, and nothing else."""

from __future__ import annotations

import re

_HEAD = re.compile(r"<thead\b.*?</thead>", re.DOTALL)
_BODY = re.compile(r"<tbody\b.*?</tbody>", re.DOTALL)
_CELL = re.compile(r"<th(?![a-z])(?![^>]*\bscope=)")
_EMPTY_CELL = re.compile(r"<th(?![a-z])([^>]*)>\s*</th>")


def finish(page: str) -> str:
    """Add ``scope`` to table headers and end every line the same way.

    Parameters
    ----------
    page : str
        A complete HTML page.

    Returns
    -------
    str
        The page; a header cell without text becomes a plain cell, since a header must say something.
    """
    page = _EMPTY_CELL.sub(r"<td\1></td>", page)
    page = _HEAD.sub(lambda part: _CELL.sub('<th scope="col"', part.group(0)), page)
    page = _BODY.sub(lambda part: _CELL.sub('<th scope="row"', part.group(0)), page)
    return page.replace("\r\n", "\n").rstrip() + "\n"
