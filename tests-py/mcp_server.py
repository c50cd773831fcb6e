"""A server of the published Python library, for checks: python mcp_server.py PORT"""

import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("ledger")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def balance(account: str) -> str:
    """The balance of an account."""
    if account == "nobody":
        raise ValueError("there is no such account")
    return f"{account}: 42.00"


server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
