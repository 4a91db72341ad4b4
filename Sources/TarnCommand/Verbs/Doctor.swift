import ArgumentParser
import Foundation
import Tarn

/// `tarn doctor`.
struct Doctor: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Says what was found on this machine, checks the engine, and what to install.")

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> DoctorAnswer {
    DoctorAnswer(
      version: Root.version, swift: Self.swiftVersion,
      system: ProcessInfo.processInfo.operatingSystemVersionString,
      processors: ProcessInfo.processInfo.activeProcessorCount,
      cpuFeatures: Machine.features, simd: Machine.simdLevel, oneDnn: Machine.oneDNN,
      oneDnnVersion: Machine.oneDNNVersion, winograd: Machine.allowsWinograd,
      tuned: Machine.tunedConvolutions, libcurl: Resource.transferLibrary, hdf5: HDF5.state,
      hdf5Version: HDF5.version,
      threads: Machine.threads,
      memoryMb: Double(ProcessInfo.processInfo.physicalMemory) / 1e6,
      variables: Self.variables, checks: SelfCheck.all(seed: common.seed))
  }

  private static var swiftVersion: String {
    #if swift(>=6.3)
      "6.3 or later"
    #else
      "6.2"
    #endif
  }

  /// What this program reads from the environment.
  private static var variables: [DoctorAnswer.Variable] {
    let set = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("TARN_") }
    let known = [
      "TARN_CACHE", "TARN_DATA", "TARN_ONEDNN", "TARN_SIMD", "TARN_THREADS", "TARN_TUNE",
      "TARN_WINOGRAD",
    ]
    return Set(known).union(set.keys).sorted().map { .init(name: $0, value: set[$0]) }
  }
}

struct DoctorAnswer: Answer {
  struct Variable: Encodable {
    var name: String
    var value: String?
  }

  var version: String
  var swift: String
  var system: String
  var processors: Int
  var cpuFeatures: [String]
  var simd: String
  /// What was found of oneDNN, in words, and its version if it is used.
  var oneDnn: String
  var oneDnnVersion: String?
  /// Whether convolutions may go by Winograd's filtering, and how many have a measured choice of algorithm.
  var winograd: Bool
  var tuned: Int
  /// The version of libcurl, with which files are fetched; nil if it is not there.
  var libcurl: String?
  /// What was found of HDF5, in words, and its version.
  var hdf5: String
  var hdf5Version: String?
  var threads: Int
  var memoryMb: Double
  var variables: [Variable]
  var checks: [SelfCheck]

  var isWell: Bool { checks.allSatisfy(\.isRight) }
  var exitCode: Int32 { isWell ? 0 : 1 }

  private enum CodingKeys: CodingKey {
    case version, swift, system, processors, cpuFeatures, simd, oneDnn, oneDnnVersion, winograd
    case tuned, libcurl, hdf5, hdf5Version, threads, memoryMb, variables, checks
    case isWell
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(version, forKey: .version)
    try container.encode(swift, forKey: .swift)
    try container.encode(system, forKey: .system)
    try container.encode(processors, forKey: .processors)
    try container.encode(cpuFeatures, forKey: .cpuFeatures)
    try container.encode(simd, forKey: .simd)
    try container.encode(oneDnn, forKey: .oneDnn)
    try container.encodeIfPresent(oneDnnVersion, forKey: .oneDnnVersion)
    try container.encode(winograd, forKey: .winograd)
    try container.encode(tuned, forKey: .tuned)
    try container.encode(hdf5, forKey: .hdf5)
    try container.encodeIfPresent(hdf5Version, forKey: .hdf5Version)
    try container.encode(threads, forKey: .threads)
    try container.encode(memoryMb, forKey: .memoryMb)
    try container.encode(variables, forKey: .variables)
    try container.encode(checks, forKey: .checks)
    try container.encode(isWell, forKey: .isWell)
  }

  var text: String {
    var lines = [
      "tarn       \(version), built with Swift \(swift)",
      "system     \(system)",
      "processor  \(processors) cores, \(cpuFeatures.joined(separator: " "))",
      "kernels    \(simd), \(threads) \(threads == 1 ? "thread" : "threads")",
      "oneDNN     \(oneDnn)",
      "HDF5       \(hdf5Version ?? hdf5)",
      "libcurl    \(libcurl ?? "not found; `tarn weights get` needs it: apt-get install libcurl4")",
      "choices    \(tuned) measured for convolutions (TARN_TUNE=measure adds to them); Winograd \(winograd ? "allowed" : "off")",
      "memory     \(Text.count(Int(memoryMb))) MB",
    ]
    lines += variables.map { "\($0.name)  \($0.value ?? "not set")" } + [""]
    for check in checks {
      lines.append("\(check.isRight ? "✓" : "✗") \(check.name): \(check.finding)")
      if let remedy = check.remedy, !check.isRight { lines.append("    \(remedy)") }
    }
    lines += ["", isWell ? "All is well." : "Something is wrong; see above."]
    return lines.joined(separator: "\n")
  }
}
