import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEdge, encodeEdge } from "../../src/tree/edge.ts";
import { EMPTY_ROOT, leafHash, nodeHash } from "../../src/tree/hashing.ts";
import { rootOf } from "../../src/tree/proof.ts";
import { hashesOf, TILE_BYTES, TileTree } from "../../src/tree/tiles.ts";
import { GrowingTree } from "./growing-tree.ts";
import { naiveLeaf, naiveRoot } from "./naive-tree.ts";

const BORDERS = [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792];
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString("hex");

describe("hashes", () => {
  it("are those of RFC 6962 and its well-known empty tree", () => {
    expect(hex(EMPTY_ROOT)).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(hex(leafHash(Buffer.alloc(0)))).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    expect(leafHash(Buffer.from("x"))).toEqual(naiveLeaf(Buffer.from("x")));
    // A leaf made of a node's two halves is not the node.
    const [left, right] = [leafHash(Buffer.of(1)), leafHash(Buffer.of(2))];
    expect(hex(leafHash(Buffer.concat([left, right])))).not.toBe(hex(nodeHash(left, right)));
  });
});

describe("TileTree", () => {
  it.each(BORDERS)("has the root of the naive tree at size %i, pushed, stored and read", async (size) => {
    const growing = new GrowingTree().growTo(size);
    const expected = hex(naiveRoot(growing.leaves));
    expect(hex(growing.tree.root())).toBe(expected);
    expect(hex(await rootOf(size, growing.read))).toBe(expected);
    expect(growing.tiles.size).toBe(Math.floor(size / 256) + Math.floor(size / 65_536));
  });

  it("has it at every size on the way, and of every beginning of itself", async () => {
    const growing = new GrowingTree();
    for (let size = 1; size <= 600; size += 1) {
      growing.growTo(size);
      if (size % 7 === 0 || size % 256 <= 1) expect(hex(growing.tree.root())).toBe(hex(naiveRoot(growing.leaves)));
    }
    for (const size of [1, 2, 255, 256, 257, 300, 512, 599]) {
      expect(hex(await rootOf(size, growing.read))).toBe(hex(naiveRoot(growing.leaves.slice(0, size))));
    }
  });

  it.each([0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 66_000])("goes on from the stored edge at size %i", (size) => {
    const { tree, leaves } = new GrowingTree().growTo(size);
    const restored = decodeEdge(encodeEdge(tree));
    expect(restored?.size).toBe(size - (size % 256));
    for (const leaf of leaves.slice(restored?.size)) restored?.push(leaf);
    for (const next of [tree, restored])
      for (let more = 0; more < 300; more += 1) next?.push(leafHash(Buffer.of(more)));
    expect(hex(restored?.root() ?? EMPTY_ROOT)).toBe(hex(tree.root()));
    expect(restored?.edge).toEqual(tree.edge);
  });

  it("takes no edge that does not belong to its size", () => {
    const edge = encodeEdge(new GrowingTree().growTo(66_000).tree);
    for (const length of [0, 7, 8, 39, edge.byteLength - 32, edge.byteLength - 1]) {
      expect(decodeEdge(edge.subarray(0, length)), `${length} bytes`).toBeNull();
    }
    expect(decodeEdge(Buffer.concat([edge, Buffer.alloc(32)]))).toBeNull();
    expect(() => new TileTree([[EMPTY_ROOT]], 2)).toThrow();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeEdge(bytes)));
  });

  it("fills tiles of 8 KiB, lowest first, each named by its place", () => {
    const tree = new TileTree();
    const filled: string[] = [];
    for (let leaf = 0; leaf < 65_536; leaf += 1) {
      for (const { level, index, bytes } of tree.push(EMPTY_ROOT)) {
        if (index > 252 || level > 0) filled.push(`${level}/${index}`);
        expect(bytes.byteLength).toBe(TILE_BYTES);
      }
    }
    expect(filled).toEqual(["0/253", "0/254", "0/255", "1/0"]);
    expect(hashesOf(new Uint8Array(33))).toBeNull();
  });
});
