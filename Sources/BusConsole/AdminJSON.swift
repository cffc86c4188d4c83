package import Foundation
import Hummingbird

/// How the admin API writes and reads JSON: members in snake case, in the order of their names, absent where there is no value.
package enum AdminJSON {
    package static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
    }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        guard let data = try? encode(value) else { return Response(status: .internalServerError) }
        return response(bytes: data, status: status)
    }

    /// A text that is no JSON: a signed note.
    static func response(text: String) -> Response { response(bytes: text.utf8, type: "text/plain; charset=utf-8") }

    static func response(
        bytes: some Sequence<UInt8>, status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
