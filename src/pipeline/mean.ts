/**
 * Weighted means that can be stored and gone on with.
 *
 * @module
 */

/** A weighted mean. */
export class Mean {
  /** Sum of values times weights. */
  sum: number;
  /** Sum of weights. */
  weight: number;

  /**
   * Begins a mean, or goes on with one.
   *
   * @param sum Sum so far.
   * @param weight Weights so far.
   */
  constructor(sum = 0, weight = 0) {
    this.sum = sum;
    this.weight = weight;
  }

  /** Adds a value with a weight. */
  add(value: number, weight: number): void {
    this.sum += value * weight;
    this.weight += weight;
  }

  /** The mean; NaN of nothing. */
  get value(): number {
    return this.sum / this.weight;
  }
}
