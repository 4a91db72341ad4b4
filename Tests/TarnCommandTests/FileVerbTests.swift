import Foundation
import Tarn
import Testing

/// `inspect` and `summary`.
@Suite struct FileVerbTests {
  @Test func inspectsEveryFormat() throws {
    let command = try Command()
    let matrix = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let bytes = Tensor([1, 2, 3] as [UInt8])
    try Safetensors.write(
      [("a", matrix), ("b", bytes)], metadata: ["made": "here"], to: command.file("w.safetensors"))
    try NPZ.write([("a", matrix)], to: command.file("w.npz"))
    try NPY.write(matrix, to: command.file("w.npy"))
    try IDX.write(bytes, to: command.file("labels-idx1-ubyte.gz"))

    let weights = try command.run("inspect", "w.safetensors", "--json").json()
    #expect(weights["format"] as? String == "safetensors")
    #expect(weights["elements"] as? Int == 9)
    #expect(weights["bytes"] as? Int == 27)
    let tensors = try #require(weights["tensors"] as? [[String: Any]])
    #expect(tensors.map { $0["name"] as? String } == ["a", "b"])
    #expect(tensors.map { $0["shape"] as? [Int] } == [[2, 3], [3]])
    #expect(tensors.map { $0["dtype"] as? String } == ["float32", "uint8"])
    for (file, format) in [("w.npz", "npz"), ("w.npy", "npy"), ("labels-idx1-ubyte.gz", "idx")] {
      let found = try command.run("inspect", file, "--json").json()
      #expect(found["format"] as? String == format)
      #expect((found["tensors"] as? [[String: Any]])?.count == 1)
    }
    let text = try command.run("inspect", "w.safetensors").out
    #expect(text.contains("[2, 3]"))
    #expect(text.contains("made: here"))
  }

  @Test func convertsBetweenFormats() throws {
    let command = try Command()
    let matrix = Tensor([1, 2.5, 3, 4, 5, -6] as [Float], shape: [2, 3])
    try Safetensors.write(
      [("m.a", matrix), ("b", Tensor([1, 2] as [Int64]))], to: command.file("w.safetensors"))
    let answer = try command.run("convert", "w.safetensors", "w.npz", "--json").json()
    #expect(answer["tensors"] as? Int == 2)
    let read = try Weights(contentsOf: command.file("w.npz"))
    #expect(try read.tensor("m.a").array(of: Float.self) == matrix.array(of: Float.self))
    #expect(try command.run("convert", "w.safetensors", "w.npz").code == 1)
    let half = try command.run(
      "convert", "w.safetensors", "w.npz", "--force", "--dtype", "float16", "--strip", "m.")
    #expect(half.code == 0)
    let stripped = try Weights(contentsOf: command.file("w.npz"))
    #expect(stripped.names == ["a"])
    #expect(try stripped.tensor("a").dtype == .float16)
    #expect(try command.run("convert", "w.safetensors", "w.xyz").code == 1)
    #expect(try command.run("convert", "none.pt", "w.npz", "--force").code == 66)
    let empty = try command.run("convert", "w.safetensors", "x.npz", "--strip", "q.")
    #expect(empty.code == 65)
    #expect(!command.exists("x.npz"))
  }

  @Test func summaryCountsParameters() throws {
    let command = try Command()
    let linear = try command.run("summary", "linear", "--json").json()
    #expect(linear["parameters"] as? Int == 7850)
    let mlp = try command.run(
      "summary", "mlp", "--hidden", "16,8", "--input", "1,4,4", "--classes", "3", "--json"
    ).json()
    #expect(mlp["parameters"] as? Int == 16 * 17 + 8 * 17 + 3 * 9)
    #expect(mlp["output"] as? [Int] == [1, 3])
    let lenet = try command.run("summary", "lenet").out
    #expect(lenet.contains("61,706"))
    #expect(lenet.contains("conv1"))
  }
}
