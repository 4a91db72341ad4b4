import Foundation
import Tarn
import TarnCPU
import TarnCore
import Testing

/// The choice of algorithms by measurement, and the file that remembers it.
@Suite struct TuningTests {
  private func folder() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("tarn-tuning-\(UUID())")
  }

  @Test func theFileDecidesAndRubbishInItIsPassedOver() throws {
    let folder = folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let tuning = Tuning(mode: .file, folder: folder, threads: { 2 })
    let text = """
      forward:1,16,8,8:16,16,3,3:1,16,8,8:1,1:1,1:1,1:1 direct
      nonsense
      forward:1,16,9,9 magic
      \u{0} \u{1}
      """
    try text.write(to: tuning.file, atomically: true, encoding: .utf8)
    #expect(tuning.count == 1)
  }

  @Test func measuringFillsTheFile() throws {
    let folder = folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let tuning = Tuning(mode: .measure, folder: folder, threads: { 2 })
    let backend = CPUBackend(tuning: tuning)
    let graph = Self.convolution()
    _ = backend.compile(graph)
    #expect(tuning.count == 1)
    let text = try String(contentsOf: tuning.file, encoding: .utf8)
    #expect(text.hasPrefix("forward:1,16,8,8:16,16,3,3:1,16,8,8:"))
    // What was measured is not measured again, and another process reads the same choice.
    let later = Tuning(mode: .file, folder: folder, threads: { 2 })
    #expect(later.count == 1)
  }

  @Test func offNeitherReadsNorWrites() throws {
    let folder = folder()
    let backend = CPUBackend(tuning: Tuning(mode: .off, folder: folder))
    _ = backend.compile(Self.convolution())
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }

  private static func convolution() -> Graph {
    let geometry = Convolution(
      strides: [1, 1], low: [1, 1], high: [1, 1], dilations: [1, 1], groups: 1)
    return Graph(
      vertices: [
        .init(.constant, shape: [1, 16, 8, 8], dtype: .float32, slot: 0),
        .init(.constant, shape: [16, 16, 3, 3], dtype: .float32, slot: 1),
        .init(
          .convolution(.forward, geometry), [0, 1], shape: [1, 16, 8, 8], dtype: .float32),
      ], outputs: [2], scalarCount: 0)
  }
}
