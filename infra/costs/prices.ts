// Unit prices in US dollars. They could not be looked up when this was written: they are AWS's public list prices for
// Frankfurt on demand, without tax or discounts, as remembered. Check each at aws.amazon.com/pricing before you plan on it.

export const asOf = "2026-11-21";
export const source = "AWS's public list prices for Frankfurt, on demand, from memory";

/** Hours of an average month, as AWS counts them. */
export const hours = 730;

/** By what is counted: dollars for one `unit`. */
export const prices = {
  cluster: { what: "EKS control plane", unit: "hour", dollars: 0.1 },
  serverNode: { what: "EC2 m7g.xlarge", unit: "hour", dollars: 0.1956 },
  smallNode: { what: "EC2 m7g.large", unit: "hour", dollars: 0.0978 },
  spotNode: { what: "EC2 m7g.large, spot", unit: "hour", dollars: 0.042 },
  accessHost: { what: "EC2 t4g.nano, the access host", unit: "hour", dollars: 0.0048 },
  volume: { what: "EBS gp3", unit: "GB-month", dollars: 0.0952 },
  nat: { what: "NAT gateway", unit: "hour", dollars: 0.052 },
  natTraffic: { what: "NAT gateway, traffic", unit: "GB", dollars: 0.052 },
  address: { what: "Public IPv4 address", unit: "hour", dollars: 0.005 },
  endpoint: { what: "Interface endpoint in one zone", unit: "hour", dollars: 0.012 },
  balancer: { what: "Network load balancer", unit: "hour", dollars: 0.027 },
  balancerUnits: { what: "Network load balancer, capacity units", unit: "hour", dollars: 0.006 },
  out: { what: "Traffic to the Internet", unit: "GB", dollars: 0.09 },
  acrossZones: { what: "Traffic between zones, both ways", unit: "GB", dollars: 0.02 },
  databaseUnit: { what: "Aurora Serverless v2 capacity unit", unit: "hour", dollars: 0.14 },
  databaseInstance: { what: "Aurora MySQL db.r7g.xlarge", unit: "hour", dollars: 0.66 },
  databaseStorage: { what: "Aurora storage", unit: "GB-month", dollars: 0.119 },
  databaseRequests: { what: "Aurora reads and writes of storage", unit: "million", dollars: 0.22 },
  databaseBackup: { what: "Aurora backups beyond the size of the database", unit: "GB-month", dollars: 0.022 },
  smallCache: { what: "ElastiCache Valkey cache.t4g.micro", unit: "hour", dollars: 0.0144 },
  cache: { what: "ElastiCache Valkey cache.m7g.large", unit: "hour", dollars: 0.15 },
  contents: { what: "S3 Standard", unit: "GB-month", dollars: 0.0245 },
  puts: { what: "S3 writes", unit: "thousand", dollars: 0.0054 },
  gets: { what: "S3 reads", unit: "thousand", dollars: 0.00043 },
  key: { what: "KMS key", unit: "month", dollars: 1 },
  keyRequests: { what: "KMS requests", unit: "ten thousand", dollars: 0.03 },
  secret: { what: "Secrets Manager secret", unit: "month", dollars: 0.4 },
  logs: { what: "CloudWatch Logs, taken in", unit: "GB", dollars: 0.63 },
  alarm: { what: "CloudWatch alarm", unit: "month", dollars: 0.1 },
  images: { what: "ECR", unit: "GB-month", dollars: 0.1 },
  zone: { what: "Route 53 zone", unit: "month", dollars: 0.5 },
  certificate: { what: "ACM certificate that can be exported, issued twice a year", unit: "month", dollars: 2.5 },
} as const satisfies Record<string, { what: string; unit: string; dollars: number }>;

export type PriceName = keyof typeof prices;
