/** A weighted mean whose sums can be saved and continued. */
export class Mean {
  /** Sum of values times weights. */
  sum: number;
  /** Sum of weights. */
  weight: number;

  constructor(sum = 0, weight = 0) {
    this.sum = sum;
    this.weight = weight;
  }

  add(value: number, weight: number): void {
    this.sum += value * weight;
    this.weight += weight;
  }

  /** NaN if nothing was added. */
  get value(): number {
    return this.sum / this.weight;
  }
}
