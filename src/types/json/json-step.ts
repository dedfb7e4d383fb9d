/** One step of a path into a JSON value. */

export type JsonStep =
  | { readonly kind: 'key'; readonly key: string }
  /** From 0; not below 0. */
  | { readonly kind: 'index'; readonly index: number }
  /** Key or index is a parameter of the request, a text or an int that is not NULL. */
  | { readonly kind: 'keyParameter' | 'indexParameter'; readonly parameter: number };
