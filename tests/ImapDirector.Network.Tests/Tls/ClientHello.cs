using System.Buffers.Binary;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>A first message of TLS 1.2 that servers answer, of any length.</summary>
internal static class ClientHello
{
    private const int RecordHeader = 5;

    // Its version, random, no session, two cipher suites, no compression.
    private static readonly byte[] Beginning = [3, 3, .. Enumerable.Repeat((byte)7, 32), 0, 0, 4, 0xC0, 0x2B, 0xC0, 0x2F, 1, 0];

    // Groups, point formats, signature algorithms.
    private static readonly byte[] Extensions = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1];

    /// <summary>In one record of <paramref name="length"/> bytes in all, filled up by an extension that nobody knows.</summary>
    public static byte[] OfLength(int length)
    {
        var message = Message(length - RecordHeader);
        return [22, 3, 1, .. Short(message.Length), .. message];
    }

    /// <summary>In records of one byte each, <paramref name="length"/> bytes in all.</summary>
    public static byte[] InPieces(int length) => [.. Message(length / (RecordHeader + 1)).SelectMany(static piece => new byte[] { 22, 3, 1, 0, 1, piece })];

    private static byte[] Message(int length)
    {
        var body = length - 4;
        var extensions = body - Beginning.Length - 2;
        var filling = extensions - Extensions.Length - 4;
        return [1, (byte)(body >> 16), .. Short(body & 0xFFFF), .. Beginning, .. Short(extensions), .. Extensions, 0xFA, 0xFA, .. Short(filling), .. new byte[filling]];
    }

    private static byte[] Short(int number)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)number));
        return bytes;
    }
}
