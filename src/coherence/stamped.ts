/** What a snapshot must say of itself to be judged. */
export interface Stamped {
  readonly orgId: string;
  readonly incarnation: string;
  readonly generation: number;
  readonly asOf: number;
  readonly changeId: string;
}
