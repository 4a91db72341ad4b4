/// All workloads. A family is an array in a file of its own.
package enum Catalogue {
  package static let all: [Workload] =
    peaks + operations + convolutions + overheads + trainingSteps + recurrent + transformers
    + inference + derivatives + photos + processes

  package static func workload(_ name: String) -> Workload? { all.first { $0.name == name } }
}
