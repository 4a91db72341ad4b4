import Foundation
import Tarn
import TarnData
import TarnInterop

/// A sound run, Tools/fuzz/sample-run, of which one file is replaced.
enum SampleRun {
  private static let sample = Workplace.repository.appendingPathComponent("Tools/fuzz/sample-run")

  /// A folder with the sample in it, made once.
  private static let copy = Result {
    let folder = Workplace.file("run")
    try FileManager.default.copyItem(at: sample, to: folder)
    return folder
  }

  /// The sample with `file` in the place of its file `name`; everything else is sound, the checkpoint's checksums included.
  static func changed(_ name: String, to file: FileBytes) throws -> URL {
    let folder = try copy.get()
    try file.withBytes { try Data($0).write(to: folder.appendingPathComponent(name)) }
    if name.hasSuffix("state.json") {
      let checkpoint = folder.appendingPathComponent("checkpoint-0")
      try manifest(of: checkpoint).write(
        to: checkpoint.appendingPathComponent("manifest.json"), atomically: false, encoding: .utf8)
    }
    return folder
  }

  private static func manifest(of folder: URL) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let entries = try names.filter { $0 != "manifest.json" }.map { name in
      let file = try FileBytes(mapping: folder.appendingPathComponent(name))
      let sum = file.withBytes { Gzip.crc32($0) }
      return "\"\(name)\": {\"crc32\": \(sum), \"size\": \(file.count)}"
    }
    return "{\"files\": {\(entries.joined(separator: ", "))}}"
  }

  /// Zeros for every tensor that a description in the corpus names.
  static let weights: Weights = {
    var weights = Weights(source: "corpus")
    let folder = Workplace.repository.appendingPathComponent("Tools/fuzz/corpus/model-json")
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
      guard let file = try? FileBytes(mapping: folder.appendingPathComponent(name)),
        let json = try? JSON(file, 0..<file.count)
      else { continue }
      add(json, to: &weights)
    }
    return weights
  }()

  private static func add(_ json: JSON, to weights: inout Weights) {
    if let name = json["$tensor"]?.string, let shape = json["shape"]?.array {
      let dtype = DType.allCases.first { "\($0)" == json["dtype"]?.string } ?? .float32
      weights[name] = .zeros(shape.compactMap(\.int), dtype: dtype)
    }
    for member in json.members ?? [] { add(member.value, to: &weights) }
    for value in json.array ?? [] { add(value, to: &weights) }
  }
}
