/** What was asked for is not there, or is not served: answered by 404 without saying which. */
export class NotServed extends Error {
  constructor(what: string) {
    super(`There is no ${what} here.`);
    this.name = 'NotServed';
  }
}
