import Foundation
import Tarn
import TarnData
import Testing

@Suite struct OtherFormatTests {
  @Test(arguments: ["mxnet.params", "mxnet_versions.params"]) func mxnet(name: String) throws {
    let weights = try Weights(contentsOf: WeightFixtures.url(name))
    expectSame(weights, try WeightFixtures.expectation(name))
    #expect(weights.format == .mxnet)
  }

  @Test func mxnetNames() throws {
    let weights = try Weights(contentsOf: WeightFixtures.url("mxnet.params")).renamedFromMXNet()
    #expect(weights.names == ["conv0.weight", "conv0.bias", "bn0.running_mean"])
  }

  @Test func mxnetRefusals() throws {
    let whole = try WeightFixtures.bytes("mxnet.params")
    func read(_ bytes: [UInt8]) throws -> Weights {
      try Weights(FileBytes(bytes, name: "made.params"), at: WeightFixtures.folder)
    }
    var sparse = whole
    sparse[28] = 1
    expectDataError(.unsupported, "array 0 is sparse") { _ = try read(sparse) }
    var many = whole
    many[20] = 1
    expectDataError(.invalid, "arrays, too many for its size") { _ = try read(many) }
    for count in 16..<whole.count {
      expectDataError(.invalid, "made.params") { _ = try read(Array(whole[..<count])) }
    }
  }

  @Test(arguments: ["caffe.caffemodel", "caffe_old.caffemodel"]) func caffe(name: String) throws {
    let weights = try Weights(contentsOf: WeightFixtures.url(name))
    expectSame(weights, try WeightFixtures.expectation(name))
    #expect(weights.format == .caffe)
  }

  @Test func caffeCutShort() throws {
    let whole = try WeightFixtures.bytes("caffe.caffemodel")
    for count in 0..<whole.count {
      do {
        // Where a field ends the rest is a net as well.
        let cut = FileBytes(whole[..<count], name: "cut.caffemodel")
        let weights = try Weights(cut, at: WeightFixtures.folder)
        #expect(weights.count < 8)
      } catch let error as DataError {
        #expect(error.kind == .invalid || error.kind == .unsupported)
      }
    }
  }
}

@Suite struct TorchWriterTests {
  static let tensors: [(name: String, tensor: Tensor)] =
    DType.allCases.map { ("t.\($0.name)", Tensor.arange(6).reshaped([2, 3]).cast(to: $0)) }
    + [("scalar", Tensor(3)), ("empty", Tensor.zeros([0, 2])), ("ä", Tensor.ones([1]))]

  @Test func roundTrips() throws {
    let folder = try TemporaryFolder()
    let weights = Weights(Self.tensors)
    for name in ["a.pt", "b.pth"] {
      try weights.write(to: folder.file(name))
      let back = try Weights(contentsOf: folder.file(name))
      #expect(back.names == weights.names && back.format == .torch)
      for (name, tensor) in weights.all {
        #expect(back[name]?.dtype == tensor.dtype && back[name]?.shape == tensor.shape)
        #expect(back[name]?.bytes() == tensor.bytes())
      }
    }
    // The same tensors give the same bytes, and each lies on a multiple of 64.
    let a = try FileBytes(mapping: folder.file("a.pt"))
    #expect(try Data(contentsOf: folder.file("a.pt")) == Data(contentsOf: folder.file("b.pth")))
    for entry in try ZipArchive(a).entries { #expect(entry.range.lowerBound % 64 == 0) }
    #expect(try ZipArchive(a).entries[0].name == "archive/data.pkl")
  }
}
