#!/usr/bin/env bash
# The contract of engines against a real Milvus server, out of the milvus wheel. Not part of CI. About ten minutes.
#
#     pip install 'searcher[milvus,dev]'
#     pip install --no-deps --target FOLDER milvus==2.3.5
#     tests/server.sh FOLDER [ARGUMENTS OF PYTEST…]
#     tests/server.sh FOLDER -m secured tests/engines   # with passwords and TLS; three minutes; needs openssl too
#     tests/server.sh FOLDER benchmarks/milvus.py [ARGUMENTS]
#
# That server is old, asks for no password and listens on every interface: it runs in a network of its own, in which there
# is loopback and nothing else. Needs Linux with user namespaces, unshare (util-linux) and ip (iproute2).
set -euo pipefail
export MILVUS_WHEEL; MILVUS_WHEEL=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
exec unshare --map-root-user --net bash -c 'ip link set lo up && exec "$@"' - "${PYTHON:-python}" tests/engines/served.py "$@"
