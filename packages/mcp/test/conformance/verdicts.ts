/** What came of the scenarios and of each look of the inspector, told line by line and counted at the end. */
export class Verdicts {
  #passed = 0;
  #failed = 0;
  #left = 0;

  get isClean(): boolean {
    return this.#failed === 0 && this.#passed > 0;
  }

  part(title: string): void {
    process.stdout.write(`\n${title}\n`);
  }

  passed(name: string): void {
    this.#passed += 1;
    process.stdout.write(`  passed  ${name}\n`);
  }

  failed(name: string, why: string): void {
    this.#failed += 1;
    process.stdout.write(`  FAILED  ${name}: ${why}\n`);
  }

  /** It does not apply, and this is why. */
  left(name: string, why: string): void {
    this.#left += 1;
    process.stdout.write(`  left    ${name}: ${why}\n`);
  }

  tell(): void {
    process.stdout.write(`\n${this.#left} do not apply\n${this.#passed} passed, ${this.#failed} failed\n`);
  }
}
