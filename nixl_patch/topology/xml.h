// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
/**
 * @file xml.h
 * @brief A small, strict XML reader for the two formats that describe machines (hwloc, NCCL).
 *
 * The plugin honours NCCL_TOPO_FILE and may depend on nothing but libstdc++, hence a reader of our
 * own. It takes elements, attributes, the five entities of XML itself, character references,
 * comments, CDATA and processing instructions. A DOCTYPE is skipped; what it declares is never
 * expanded, so "billion laughs" is an error here. Character data is checked and dropped: neither
 * format uses it.
 */
#ifndef NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_XML_H
#define NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_XML_H

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nixlStripe {

/** Limits that real files stay far below (hwloc of a large host: 1 MiB, depth 20). */
constexpr std::size_t max_xml_bytes = std::size_t(16) << 20;
constexpr std::size_t max_xml_depth = 256;
constexpr std::size_t max_xml_elements = 250000;
constexpr std::size_t max_xml_attributes = 64; /**< of one element */

struct xmlElement {
    std::string name;
    std::size_t line = 1; /**< of its start tag, for messages */
    std::vector<std::pair<std::string, std::string>> attributes;
    std::vector<xmlElement> children;

    /** Value of an attribute, nullptr where the element does not have it. */
    const std::string *attribute(std::string_view key) const;

    /** The same with "" for an attribute that is not there. */
    std::string_view text(std::string_view key) const;
};

/**
 * @brief Parses a document.
 * @param text UTF-8, with or without byte order mark.
 * @param origin Where the text came from (a path), named in errors.
 * @return The root element.
 * @throws std::invalid_argument "origin:line: what is wrong" on anything that is not well-formed or
 *         over a limit above.
 */
xmlElement parseXml(std::string_view text, const std::string &origin);

/**
 * @brief Reads and parses a file.
 * @throws std::invalid_argument naming @p path when it cannot be opened, is no regular file, is too
 *         large or does not parse.
 */
xmlElement readXmlFile(const std::string &path);

} // namespace nixlStripe

#endif // NIXL_STRIPE_NIXL_PATCH_TOPOLOGY_XML_H
