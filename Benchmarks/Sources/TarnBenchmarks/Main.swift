import Foundation

/// `TarnBenchmarks [--json] [NAME …]`: times the named workloads, or all.
@main
struct Main {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let json = arguments.contains("--json")
    let names = arguments.filter { !$0.hasPrefix("--") }
    let chosen = workloads.filter { names.isEmpty || names.contains($0.name) }
    for workload in chosen { try report([measure(workload.name, workload.make())], json: json) }
  }
}
