"""Checks our proofs with Python's hashlib and openssl alone: the 30 lines that a stranger needs.
Reads cases as JSON from standard input and prints true or false for each."""
import base64, hashlib, json, os, subprocess, sys, tempfile

SPKI = bytes.fromhex("302a300506032b6570032100")  # what stands before a raw Ed25519 key in DER


def sha(data): return hashlib.sha256(data).digest()


def signed(note, vkey):
    name, _, key = vkey.split("+", 2)
    text, lines = note.rsplit("\n\n", 1)
    body = (text + "\n").encode()
    raw = base64.b64decode(key)[1:]
    key_id = sha(name.encode() + b"\n\x01" + raw)[:4]
    for line in lines.splitlines():
        _, signer, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if signer == name and blob[:4] == key_id:
            with tempfile.TemporaryDirectory() as folder:
                for file, data in {"key": SPKI + raw, "body": body, "sig": blob[4:]}.items():
                    open(os.path.join(folder, file), "wb").write(data)
                command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in body -sigfile sig"
                if subprocess.run(command.split(), cwd=folder, capture_output=True).returncode == 0:
                    _, size, root = text.split("\n")
                    return int(size), base64.b64decode(root)
    raise ValueError("not signed by this key")


def included(case):
    size, root = signed(case["Note"], case["Vkey"])
    node, last, value = case["Index"], size - 1, sha(b"\0" + base64.b64decode(case["Record"]))
    if node >= size: return False
    for sibling in map(base64.b64decode, case["Path"]):
        if last == 0: return False
        if node % 2 or node == last:
            value = sha(b"\1" + sibling + value)
            while node and not node % 2: node, last = node // 2, last // 2
        else: value = sha(b"\1" + value + sibling)
        node, last = node // 2, last // 2
    return last == 0 and value == root


def verdict(case):
    try: return included(case)
    except (ValueError, IndexError): return False


for case in json.load(sys.stdin): print(str(verdict(case)).lower())
