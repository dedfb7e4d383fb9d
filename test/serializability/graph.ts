/** A directed graph with kinds of edges: strongly connected components and shortest paths over chosen kinds. */

/** Kinds of edges, as bits. */
export const WRITE_WRITE = 1;
export const WRITE_READ = 2;
export const READ_WRITE = 4;
export const REAL_TIME = 8;

export type Edge = { readonly from: number; readonly to: number; readonly kind: number; readonly key: number };

export class Graph {
  readonly #outgoing: Edge[][] = [];

  get nodeCount(): number {
    return this.#outgoing.length;
  }

  addNode(): number {
    return this.#outgoing.push([]) - 1;
  }

  /** `key`: the list that the edge is about, -1 for none. An edge from a node to itself says nothing and is left out. */
  addEdge(from: number, to: number, kind: number, key = -1): void {
    if (from !== to) this.#outgoing[from]!.push({ from, to, kind, key });
  }

  edgesOf(node: number): readonly Edge[] {
    return this.#outgoing[node]!;
  }

  /**
   * Components of more than one node, over edges of the kinds in `mask`: every node of a cycle is in one. Tarjan's algorithm
   * (1972), with a stack of its own: histories are longer than the call stack is deep.
   */
  components(mask: number): number[][] {
    const count = this.nodeCount;
    const order = new Int32Array(count).fill(-1);
    const low = new Int32Array(count);
    const nextEdge = new Int32Array(count);
    const isOpen = new Uint8Array(count);
    const open: number[] = [];
    const path: number[] = [];
    const found: number[][] = [];
    let orderCount = 0;
    for (let root = 0; root < count; root++) {
      if (order[root] !== -1) continue;
      path.push(root);
      while (path.length > 0) {
        const node = path.at(-1)!;
        if (order[node] === -1) {
          order[node] = low[node] = orderCount++;
          open.push(node);
          isOpen[node] = 1;
        }
        const edges = this.#outgoing[node]!;
        let isEntering = false;
        while (nextEdge[node]! < edges.length) {
          const { to, kind } = edges[nextEdge[node]!]!;
          if ((kind & mask) !== 0 && order[to] === -1) {
            path.push(to);
            isEntering = true;
            break;
          }
          if ((kind & mask) !== 0 && isOpen[to] === 1) low[node] = Math.min(low[node]!, low[to]!);
          nextEdge[node]!++;
        }
        if (isEntering) continue;
        path.pop();
        if (low[node] !== order[node]) continue;
        const component = open.splice(open.lastIndexOf(node));
        for (const member of component) isOpen[member] = 0;
        if (component.length > 1) found.push(component);
      }
    }
    return found;
  }

  /** The edges of a shortest path over kinds in `mask`, inside the set; undefined where there is none. */
  path(from: number, to: number, mask: number, members: ReadonlySet<number>): Edge[] | undefined {
    const reachedBy = new Map<number, Edge>();
    let frontier = [from];
    while (frontier.length > 0) {
      const next: number[] = [];
      for (const node of frontier) {
        for (const edge of this.#outgoing[node]!) {
          if ((edge.kind & mask) === 0 || !members.has(edge.to) || reachedBy.has(edge.to)) continue;
          reachedBy.set(edge.to, edge);
          if (edge.to === to) return this.#trace(from, to, reachedBy);
          next.push(edge.to);
        }
      }
      frontier = next;
    }
    return undefined;
  }

  #trace(from: number, to: number, reachedBy: ReadonlyMap<number, Edge>): Edge[] {
    const edges: Edge[] = [];
    for (let node = to; edges.length === 0 || node !== from; ) {
      const edge = reachedBy.get(node)!;
      edges.push(edge);
      node = edge.from;
    }
    return edges.reverse();
  }
}
