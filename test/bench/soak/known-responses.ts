/** Responses that have ended and may be read, continued or deleted: the latest of them. */
export class KnownResponses {
  private readonly all: KnownResponse[] = [];
  private readonly random: (limit: number) => number;

  constructor(random: (limit: number) => number) {
    this.random = random;
  }

  add(response: KnownResponse): void {
    this.all.push(response);
    if (this.all.length > 300) this.all.shift();
  }

  /** Any of them; undefined while there is none. */
  pick(): KnownResponse | undefined {
    return this.all[this.random(this.all.length)];
  }

  /** Any of them, which nobody else is given from now on. */
  take(): KnownResponse | undefined {
    return this.all.splice(this.random(this.all.length), 1)[0];
  }
}

export interface KnownResponse {
  readonly id: string;
  readonly characters: number;
}
