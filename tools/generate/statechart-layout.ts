/** Turns a state machine into the inspector's chart: states, transitions, and where each of them is drawn. */
import elk, { type ElkNode } from "elkjs";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import type { Chart, ChartEdge, ChartState, ChartTransition } from "../../packages/inspector/src/chart.ts";

/** Width of a character in names of states and of events, in the page's fonts, and height of a line. */
const STATE_CHAR = 8.4;
const EVENT_CHAR = 7;
const EVENT_LINE = 13;

export interface Identity {
  readonly id: string;
  readonly version: string;
  readonly sha256: string;
}

/** The region that shows a machine's main course, if it has several regions. */
const REGIONS: Readonly<Record<string, string>> = { lifecycle: "phase" };
/** The pane that shows a chart; of the two directions of layout, the one that fits it better is chosen. */
const PANE = { width: 600, height: 620 };

export async function chartOf(identity: Identity, machine: AnyStateMachine): Promise<Chart> {
  const region = REGIONS[identity.id];
  const root = region === undefined ? machine.root : (machine.root.states[region] as AnyStateNode);
  const nodes = descendants(root);
  const transitions = nodes.flatMap(transitionsOf);
  const drawings = [
    await drawing(nodes, root, transitions, "DOWN"),
    await drawing(nodes, root, transitions, "RIGHT"),
  ] as const;
  const drawn = scaleOf(drawings[0]) >= scaleOf(drawings[1]) ? drawings[0] : drawings[1];
  return { machine: identity.id, ...identityOf(identity), initial: initialOf(root), ...drawn, transitions };
}

const scaleOf = ({ width, height }: Drawing): number => Math.min(PANE.width / width, PANE.height / height);

const identityOf = ({ version, sha256 }: Identity) => ({ version, sha256 });

function descendants(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states as Record<string, AnyStateNode>).flatMap((child) => [child, ...descendants(child)]);
}

function initialOf(node: AnyStateNode): string {
  const [first] = node.initial.target ?? [];
  if (first === undefined) return node.key;
  return first.type === "compound" ? initialOf(first) : first.key;
}

function transitionsOf(node: AnyStateNode): ChartTransition[] {
  return [...node.transitions.entries()].flatMap(([event, definitions]) =>
    definitions.map((definition): ChartTransition => {
      const target = definition.target?.[0] ?? node;
      const to = target.type === "compound" ? initialOf(target) : target.key;
      const guard = definition.guard as string | { type: string } | undefined;
      return [node.key, event, to, typeof guard === "string" ? guard : (guard?.type ?? "")];
    }),
  );
}

const SPACING = {
  "elk.algorithm": "layered",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.spacing.nodeNodeBetweenLayers": "10",
  "elk.layered.spacing.edgeNodeBetweenLayers": "8",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "8",
  "elk.spacing.nodeNode": "20",
  "elk.spacing.edgeNode": "12",
  "elk.spacing.edgeEdge": "10",
  "elk.spacing.edgeLabel": "3",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.padding": "[top=8,left=8,bottom=8,right=8]",
};

type Drawing = Pick<Chart, "width" | "height" | "states" | "edges">;

async function drawing(
  nodes: readonly AnyStateNode[],
  root: AnyStateNode,
  transitions: readonly ChartTransition[],
  direction: "DOWN" | "RIGHT",
): Promise<Drawing> {
  const arrows = merged(transitions.map((transition) => lifted(transition, nodes)));
  const elkNodes = (parent: AnyStateNode): ElkNode[] =>
    Object.values(parent.states as Record<string, AnyStateNode>).map((node) => {
      const children = elkNodes(node);
      if (children.length === 0) return { id: node.key, width: stateWidth(node.key), height: 28 };
      return {
        id: node.key,
        children,
        layoutOptions: { ...SPACING, "elk.direction": "DOWN", "elk.padding": "[top=38,left=16,bottom=16,right=16]" },
      };
    });
  const graph: ElkNode = {
    id: "(root)",
    layoutOptions: {
      ...SPACING,
      "elk.direction": direction,
      "elk.json.shapeCoords": "ROOT",
      "elk.json.edgeCoords": "ROOT",
    },
    children: elkNodes(root),
    edges: arrows.map(({ from, to, events }, index) => ({
      id: `e${index}`,
      sources: [from],
      targets: [to],
      labels: [
        {
          text: events.join("\n"),
          width: Math.max(...events.map((event) => event.length)) * EVENT_CHAR + 8,
          height: events.length * EVENT_LINE + 2,
        },
      ],
    })),
  };
  const laidOut = await new elk.default().layout(graph);
  return {
    width: Math.ceil(laidOut.width ?? 0),
    height: Math.ceil(laidOut.height ?? 0),
    states: nodes.map((node) => placed(node, root, laidOut)),
    edges: arrows.map((arrow, index) => routed(arrow, laidOut, `e${index}`)),
  };
}

const stateWidth = (name: string): number => Math.max(84, Math.ceil(name.length * STATE_CHAR + 26));

function merged(transitions: readonly ChartTransition[]): { from: string; to: string; events: string[] }[] {
  const arrows = new Map<string, { from: string; to: string; events: string[] }>();
  for (const [from, event, to] of transitions) {
    const known = arrows.get(`${from} ${to}`) ?? { from, to, events: [] };
    if (!known.events.includes(event)) known.events.push(event);
    arrows.set(`${from} ${to}`, known);
  }
  return [...arrows.values()];
}

/** An arrow out of a nested state is drawn from the outer one, so that the inside can be laid out separately. */
function lifted([from, event, to, guard]: ChartTransition, nodes: readonly AnyStateNode[]): ChartTransition {
  const parentOf = (key: string): AnyStateNode | undefined => {
    const parent = nodes.find((node) => node.key === key)?.parent;
    return parent !== undefined && nodes.includes(parent) ? parent : undefined;
  };
  const [inside, outside] = [parentOf(from), parentOf(to)];
  if (inside === outside) return [from, event, to, guard];
  return [inside?.key ?? from, event, outside?.key ?? to, guard];
}

function placed(node: AnyStateNode, root: AnyStateNode, laidOut: ElkNode): ChartState {
  const found = find(laidOut, node.key);
  const { x = 0, y = 0, width = 0, height = 0 } = found ?? {};
  const parent = node.parent === root ? null : (node.parent?.key ?? null);
  return {
    id: node.key,
    parent,
    final: node.type === "final",
    x: Math.round(x),
    y: Math.round(y),
    width: Math.round(width),
    height: Math.round(height),
  };
}

function find(node: ElkNode, id: string): ElkNode | undefined {
  for (const child of node.children ?? []) {
    const found = child.id === id ? child : find(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function routed(arrow: { from: string; to: string; events: string[] }, laidOut: ElkNode, id: string): ChartEdge {
  const edge = laidOut.edges?.find((candidate) => candidate.id === id);
  const [section] = edge?.sections ?? [];
  const [label] = edge?.labels ?? [];
  if (section === undefined || label === undefined) throw new Error(`${arrow.from} to ${arrow.to} has no way`);
  const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint];
  return {
    ...arrow,
    points: points.map(({ x, y }) => [Math.round(x), Math.round(y)] as const),
    label: [Math.round(label.x ?? 0), Math.round(label.y ?? 0)],
  };
}
