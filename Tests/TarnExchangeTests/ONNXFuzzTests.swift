import Foundation
import Tarn
import TarnExchange
import Testing

/// Files cut short and changed at random: they are read and run, or refused, but nothing else. TARN_FUZZ sets how many.
@Suite struct ONNXFuzzTests {
  @Test func truncations() throws {
    let item = try #require(ONNXGoldens().cases.first { $0.name == "shape-arithmetic" })
    for count in item.model.indices { attempt(Array(item.model[..<count]), item.inputs) }
  }

  @Test func mutations() throws {
    let cases = try ONNXGoldens().cases
    let count = ProcessInfo.processInfo.environment["TARN_FUZZ"].flatMap { Int($0) } ?? 300
    for number in 0..<count {
      var random = SeededGenerator(seed: UInt64(number))
      let item = cases[Int.random(in: 0..<cases.count, using: &random)]
      var bytes = item.model
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
      let start = ContinuousClock.now
      let outcome = attempt(bytes, item.inputs)
      if ContinuousClock.now - start > .seconds(20) {
        Issue.record("mutation \(number) of \(item.name) took long: \(outcome)")
      }
    }
  }

  /// What came of a file, and the outputs' sizes if it ran.
  @discardableResult
  private func attempt(_ bytes: [UInt8], _ inputs: [String: Tensor]) -> String {
    do {
      return try Diagnostic.catching {
        var model = try ONNXModel(bytes)
        model.elementLimit = 1 << 16
        model.nodeLimit = 1 << 10
        let results = try model.run(inputs)
        Tensor.evaluate(Array(results.values))
        #expect(results.values.allSatisfy { $0.count <= 1 << 16 })
        return "\(results.mapValues(\.shape))"
      }
    } catch { return "\(error)" }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: bytes.indices, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes.remove(at: place)
    case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
    case 4:
      let end = min(bytes.count, place + 9)
      for i in place..<end { bytes[i] = i == end - 1 ? 0x01 : 0xff }
    default:
      let from = Int.random(in: bytes.indices, using: &random)
      let part = Array(bytes[from..<min(bytes.count, from + 16)])
      bytes.replaceSubrange(place..<min(bytes.count, place + part.count), with: part)
    }
  }
}
