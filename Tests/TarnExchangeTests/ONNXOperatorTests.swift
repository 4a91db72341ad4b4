import Foundation
import Tarn
import TarnExchange
import Testing

@Suite struct ONNXOperatorTests {
  /// Small models of every family, against ONNX Runtime.
  @Test func goldens() throws {
    for item in try ONNXGoldens().cases {
      do {
        let model = try ONNXModel(item.model, name: item.name)
        #expect(model.unsupported.isEmpty, "\(item.name)")
        let results = try model.run(item.inputs)
        for (name, expected) in item.outputs {
          expectClose(results[name], expected, 1e-4, "\(item.name) \(name)")
          #expect(results[name]?.dtype == expected.dtype, "\(item.name) \(name)")
        }
      } catch { Issue.record("\(item.name): \(error)") }
    }
  }

  /// The same on the reference backend, which computes everything while recording nothing.
  @Test func goldensOnTheReferenceBackend() throws {
    for item in try ONNXGoldens().cases where !item.name.hasPrefix("conv") {
      try Device.with(.reference) {
        let inputs = item.inputs.mapValues {
          $0.dtype == .int64 ? Tensor($0.array(of: Int.self), shape: $0.shape) : nil
        }
        guard inputs.values.allSatisfy({ $0 != nil }), !inputs.isEmpty else { return }
        let model = try ONNXModel(item.model, name: item.name)
        let results = try model.run(inputs.compactMapValues { $0 })
        for (name, expected) in item.outputs {
          expectClose(results[name], expected, 1e-4, "\(item.name) \(name)")
        }
      }
    }
  }

  /// ONNX's own suite: the folder `node` of its Python package's test data.
  @Test(.enabled(if: suite != nil, "TARN_ONNX_TESTS names no folder of ONNX's node tests"))
  func suiteOfONNX() throws {
    var table = ONNXTable()
    for item in try ONNXCase.all(in: URL(fileURLWithPath: suite ?? "")) {
      table.add(item, item.run())
    }
    #expect(table.share >= 0.95, "\(table.summary)")
    print(table.summary)
  }

  /// The copy that Debian's libonnx-testdata installs.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: debian), "libonnx-testdata is absent"))
  func suiteOfDebian() throws {
    var table = ONNXTable()
    for item in try ONNXCase.all(in: URL(fileURLWithPath: debian)) { table.add(item, item.run()) }
    #expect(table.share >= 0.95, "\(table.summary)")
  }
}

private let suite = ProcessInfo.processInfo.environment["TARN_ONNX_TESTS"]
private let debian = "/usr/share/libonnx-testdata/data/node"
