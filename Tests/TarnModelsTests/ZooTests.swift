import Tarn
import Testing

@Suite struct ZooTests {
  @Test("A network has as many parameters as published", arguments: Zoo.names)
  func parameterCounts(name: String) throws {
    let entry = try Zoo.entry(name)
    #expect(Initialization.skipped { entry.model() }.parameterCount == entry.parameterCount)
  }
}
