export declare const oldestNode: string;
export declare function nodeVersionFault(version: string): string | undefined;
