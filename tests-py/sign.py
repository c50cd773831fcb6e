"""Signs deliveries with the library Slack publishes.

Reads JSON lines {"secret", "body", "ts"} from standard input (ts: epoch seconds, optional) and
prints one JSON line {"headers": {...}} for each.
"""

import json
import sys
import time

from slack_sdk.signature import SignatureVerifier


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        timestamp = str(order.get("ts") or int(time.time()))
        verifier = SignatureVerifier(order["secret"])
        signature = verifier.generate_signature(timestamp=timestamp, body=order["body"])
        headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
        print(json.dumps({"headers": headers}), flush=True)


if __name__ == "__main__":
    main()
