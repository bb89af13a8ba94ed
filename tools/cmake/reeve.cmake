# The words the CMakeLists of this tree are written in.
#
# Every library gets an include root of its own that holds one link, named after the
# library, to its folder: #include "store/budget.h" compiles only in targets that link
# reeve_store. A wrong-floor include is a compile error, not a review comment.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(NATS REQUIRED IMPORTED_TARGET libnats) # never find_package(cnats): Debian's is broken
pkg_search_module(MSGPACK REQUIRED IMPORTED_TARGET msgpack-c msgpack)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)

add_library(reeve_flags INTERFACE)
target_compile_options(reeve_flags INTERFACE
    -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wpointer-arith -Wcast-qual
    -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough
    -fno-common -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/= -fPIE -fstack-protector-strong)
target_link_options(reeve_flags INTERFACE -pie -Wl,-z,relro,-z,now)
if(REEVE_WERROR)
    target_compile_options(reeve_flags INTERFACE -Werror)
endif()
if(REEVE_SANITIZE)
    target_compile_options(reeve_flags INTERFACE -fsanitize=${REEVE_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(reeve_flags INTERFACE -fsanitize=${REEVE_SANITIZE})
else()
    target_compile_options(reeve_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()

# reeve_lib(<name> SOURCES … [FLOOR <lower libs>] [WRAPS <outside libs, kept private>])
function(reeve_lib name)
    cmake_parse_arguments(A "" "" "SOURCES;FLOOR;WRAPS" ${ARGN})
    add_library(reeve_${name} STATIC ${A_SOURCES})
    set(root ${CMAKE_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${root})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
    target_include_directories(reeve_${name} PUBLIC ${root})
    list(TRANSFORM A_FLOOR PREPEND reeve_)
    target_link_libraries(reeve_${name} PUBLIC ${A_FLOOR} PRIVATE reeve_flags ${A_WRAPS})
endfunction()

# reeve_service(<name> SOURCES … FLOOR …): the binary reeve-<name>
function(reeve_service name)
    cmake_parse_arguments(A "" "" "SOURCES;FLOOR" ${ARGN})
    add_executable(reeve-${name} ${A_SOURCES})
    list(TRANSFORM A_FLOOR PREPEND reeve_)
    target_link_libraries(reeve-${name} PRIVATE reeve_flags ${A_FLOOR})
endfunction()

# reeve_test(<label> <name> FLOOR … [SOURCES …]): <name>.c beside the CMakeLists
function(reeve_test label name)
    cmake_parse_arguments(A "" "" "SOURCES;FLOOR" ${ARGN})
    add_executable(${name} ${name}.c ${A_SOURCES})
    list(TRANSFORM A_FLOOR PREPEND reeve_)
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(${name} PRIVATE reeve_flags ${A_FLOOR} cmocka)
    add_test(NAME ${label}/${name} COMMAND ${name})
    set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} TIMEOUT 60
        ENVIRONMENT UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1) # or it only prints
endfunction()

# reeve_proto(<noun> …): reeve/v1/<noun>.proto, all in the library reeve_pb
function(reeve_proto)
    find_program(PROTOC_C protoc-c REQUIRED)
    set(out ${CMAKE_CURRENT_BINARY_DIR})
    foreach(noun ${ARGN})
        list(APPEND protos reeve/v1/${noun}.proto)
        list(APPEND sources ${out}/reeve/v1/${noun}.pb-c.c)
        list(APPEND made ${out}/reeve/v1/${noun}.pb-c.c ${out}/reeve/v1/${noun}.pb-c.h)
    endforeach()
    add_custom_command(
        OUTPUT ${made}
        COMMAND ${PROTOC_C} --c_out=${out} --proto_path=${CMAKE_CURRENT_SOURCE_DIR} ${protos}
        DEPENDS ${protos})
    add_library(reeve_pb STATIC ${sources})
    target_include_directories(reeve_pb SYSTEM PUBLIC ${out})
    target_compile_options(reeve_pb PRIVATE -w) # generated code is not ours to warn about
    target_link_libraries(reeve_pb PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
